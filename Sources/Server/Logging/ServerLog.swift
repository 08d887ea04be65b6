internal import Glibc
internal import JSON
package import Logging
internal import Synchronization

/// Writes log lines to standard output, as TGI does: as text, or one JSON object each.
package struct ServerLog: LogHandler {
    package enum Form: Sendable {
        case text(color: Bool)
        case json
    }

    /// Where lines go.
    package typealias Sink = @Sendable (String) -> Void

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    package var metadataProvider: Logger.MetadataProvider?
    private let form: Form
    private let sink: Sink

    package init(_ form: Form, level: Logger.Level, sink: @escaping Sink = ServerLog.standardOutput) {
        self.form = form
        self.sink = sink
        logLevel = level
    }

    /// A logger that writes so.
    package static func logger(
        _ form: Form, level: Logger.Level, sink: @escaping Sink = ServerLog.standardOutput
    ) -> Logger {
        Logger(label: "server", factory: { _ in ServerLog(form, level: level, sink: sink) })
    }

    /// The level that a filter in the style of `LOG_LEVEL` asks for, such as `debug` or `info,some_module=debug`: the entry
    /// without a module counts.
    package static func level(_ filter: String) -> Logger.Level? {
        let entry = filter.split(separator: ",").first { !$0.contains("=") }?.lowercased()
        return entry == "warn" ? .warning : entry.flatMap { Logger.Level(rawValue: $0) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = event.metadata.map { metadata.merging($0) { $1 } } ?? metadata
        let record = LogRecord(event, all)
        switch form {
        case .text(let color): sink(record.text(color: color))
        case .json: sink(record.json.text())
        }
    }

    private static let outputLock = Mutex(())

    /// One write per line, so that lines of different threads never mix. What cannot be written is lost.
    package static let standardOutput: Sink = { line in
        let bytes = Array((line + "\n").utf8)
        outputLock.withLock { _ in
            var offset = 0
            while offset < bytes.count {
                let written = unsafe bytes[offset...].withUnsafeBytes {
                    unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count)
                }
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                offset += written
            }
        }
    }
}

extension LogRecord {
    /// `<time>  INFO generate{key="value" …}: tgi_run::server: message key=value`
    func text(color: Bool) -> String {
        let name = String(repeating: " ", count: 5 - level.shortName.count) + level.shortName
        var line = "\(time.text) \(color ? "\u{1B}[\(level.color)m\(name)\u{1B}[0m" : name) "
        if let span {
            let fields = span.fields.map { key, value in
                // TGI writes this one as a value and all others as text.
                key == "parameters" ? "\(key)=\(value)" : "\(key)=\(JSON.string(value))"
            }
            line += "\(span.name){\(fields.joined(separator: " "))}: "
        }
        line += "\(target): \(message.onOneLine)"
        for (key, value) in fields { line += " \(key)=\(JSON.string(value))" }
        return line
    }

    var json: JSON {
        var object = JSONObject()
        object["timestamp"] = .string(time.text)
        object["level"] = .string(level.shortName)
        object["message"] = .string(message)
        object["target"] = .string(target)
        for (key, value) in fields { object[key] = .string(value) }
        if let span {
            var members = JSONObject(span.fields.map { ($0.key, JSON.string($0.value)) })
            members["name"] = .string(span.name)
            object["span"] = .object(members)
            object["spans"] = [.object(members)]
        }
        return .object(object)
    }
}

extension Logger.Level {
    fileprivate var shortName: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARN"
        case .error, .critical: "ERROR"
        }
    }

    fileprivate var color: Int {
        switch self {
        case .trace: 35
        case .debug: 34
        case .info, .notice: 32
        case .warning: 33
        case .error, .critical: 31
        }
    }
}

extension String {
    /// The text with line breaks and other control characters escaped: nothing that a client sends can forge a line.
    fileprivate var onOneLine: String {
        guard unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return self }
        return unicodeScalars.reduce(into: "") { result, scalar in
            result += scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}
