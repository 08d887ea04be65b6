internal import Logging

/// One log line before it has a form.
struct LogRecord {
    /// Metadata keys under which a request's line carries its span: the name, and the fields in their order.
    static let spanName = "span"
    static let spanFields = "span.fields"

    let time: WallTime
    let level: Logger.Level
    let message: String
    /// The module that speaks.
    let target: String
    let span: (name: String, fields: [(key: String, value: String)])?
    /// All other metadata, by key.
    let fields: [(key: String, value: String)]

    init(_ event: LogEvent, _ metadata: Logger.Metadata) {
        time = .now
        level = event.level
        message = "\(event.message)"
        target = "tgi_run::\(event.source.lowercased())"
        var metadata = metadata
        let name = metadata.removeValue(forKey: Self.spanName)
        let list = metadata.removeValue(forKey: Self.spanFields)
        if case .string(let name)? = name {
            var fields: [(String, String)] = []
            if case .array(let items)? = list {
                for case .dictionary(let item) in items { fields += item.map { ($0.key, "\($0.value)") } }
            }
            span = (name, fields)
        } else {
            span = nil
        }
        fields = metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }
}
