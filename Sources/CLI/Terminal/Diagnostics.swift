import Glibc

/// What is said about the run, on stderr: results are never mixed with it.
enum Diagnostics {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    static func error(_ message: String) { line("tgi-run: error: \(message.onOneLine)") }
    static func warning(_ message: String) { line("tgi-run: warning: \(message.onOneLine)") }
    static func note(_ message: String) { line("tgi-run: \(message.onOneLine)") }

    static func line(_ text: String) { write(text + "\n") }

    /// Best effort: nobody can be told when stderr is gone.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let written = unsafe Glibc.write(STDERR_FILENO, bytes.baseAddress! + offset, bytes.count - offset)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return }
                offset += written
            }
        }
    }
}

extension String {
    /// The text with line breaks as spaces and other control characters as `\u{…}`: an error is one line, whatever a file's name holds.
    fileprivate var onOneLine: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A, 0x0D, 0x09: result += " "
            case 0..<0x20, 0x7F..<0xA0: result += scalar.escaped(asASCII: true)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
