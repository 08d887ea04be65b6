import ArgumentParser
import Glibc

/// A text given on the command line, in a file or on standard input.
struct PromptOptions: ParsableArguments {
    @Option(name: .shortAndLong, parsing: .unconditional, help: ArgumentHelp("The text.", valueName: "text"))
    var prompt: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("A file with the text, taken byte for byte; - is standard input.", valueName: "path"))
    var file: String?

    func validate() throws {
        if prompt != nil && file != nil { throw ValidationError("--prompt and --file exclude each other") }
    }

    func read() throws -> [UInt8] {
        if let prompt { return Array(prompt.utf8) }
        // Not in `validate`, which would hide that a misspelt option is why there is no text.
        guard let file else { throw ValidationError("no text: give -p TEXT, -f FILE, or -f - for standard input") }
        return try readFile(file)
    }
}

/// The bytes of a file; `-` is standard input.
func readFile(_ path: String) throws -> [UInt8] {
    let name = path == "-" ? "standard input" : path
    let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure("\(name): \(systemMessage(errno))") }
    defer { if path != "-" { close(descriptor) } }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw Failure("\(name): \(systemMessage(errno))") }
        if count == 0 { return content }
        content += buffer[..<count]
    }
}
