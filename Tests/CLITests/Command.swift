import Foundation
import JSON
import Synchronization
import Testing

/// A run of the built binary.
struct Command {
    struct Result {
        let output: Data
        let diagnostics: String
        let exitCode: Int32

        var text: String { String(decoding: output, as: UTF8.self) }
        var json: JSON { get throws { try JSON.parse(text) } }
        /// Lines of stderr.
        var lines: [Substring] { diagnostics.split(separator: "\n") }
    }

    /// The binary: named by the environment, or beside the test bundle.
    static let path: String = {
        if let path = ProcessInfo.processInfo.environment["TGI_RUN_BINARY"], !path.isEmpty { return path }
        let bundle = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: bundle ?? "").deletingLastPathComponent().appendingPathComponent("tgi-run").path
    }()

    /// Variables of this process and `more`. Tests are about the CPU where they do not say otherwise, also on a machine with a GPU.
    static func environment(_ more: [String: String]) -> [String: String] {
        ProcessInfo.processInfo.environment.merging(["TGI_RUN_DEVICE": "cpu"]) { $1 }.merging(more) { $1 }
    }

    /// Runs to the end.
    static func run(_ arguments: String..., input: Data = Data()) throws -> Result {
        try run(arguments, input: input)
    }

    static func run(
        _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Result {
        let running = try Running(arguments, environment: environment)
        DispatchQueue.global().async {
            try? running.input.fileHandleForWriting.write(contentsOf: input)
            try? running.input.fileHandleForWriting.close()
        }
        return running.finish()
    }

    /// A run that is still going on.
    final class Running: @unchecked Sendable {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        private let diagnostics = Pipe()

        /// - Parameter environment: Variables beside those of this process.
        init(_ arguments: [String], environment: [String: String] = [:]) throws {
            process.executableURL = URL(fileURLWithPath: Command.path)
            process.arguments = arguments
            process.environment = Command.environment(environment)
            process.standardInput = input
            process.standardOutput = output
            process.standardError = diagnostics
            try process.run()
        }

        /// Waits for the end without reading stdout.
        func finishDiagnostics() -> Result {
            let errors = diagnostics.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return Result(
                output: Data(), diagnostics: String(decoding: errors, as: UTF8.self),
                exitCode: process.terminationStatus)
        }

        /// Reads what is left of both streams and waits for the end.
        func finish() -> Result {
            let errors = Drain(diagnostics.fileHandleForReading)
            let rest = output.fileHandleForReading.readDataToEndOfFile()
            let text = String(decoding: errors.wait(), as: UTF8.self)
            process.waitUntilExit()
            return Result(output: rest, diagnostics: text, exitCode: process.terminationStatus)
        }
    }

    /// Reads a stream to its end beside everything else, so that its writer never waits.
    private final class Drain: Sendable {
        private let data = Mutex(Data())
        private let group = DispatchGroup()

        init(_ handle: FileHandle) {
            group.enter()
            DispatchQueue.global().async {
                let read = handle.readDataToEndOfFile()
                self.data.withLock { $0 = read }
                self.group.leave()
            }
        }

        func wait() -> Data {
            group.wait()
            return data.withLock { $0 }
        }
    }
}

/// A folder that goes away with its owner.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tgi-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func write(_ data: Data, as name: String) throws -> String {
        try data.write(to: url.appendingPathComponent(name))
        return path(name)
    }
}

/// An error is one line that begins with the program's name.
func expectFailure(
    _ result: Command.Result, exitCode: Int32 = 1, mentions words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.exitCode == exitCode, "\(result.diagnostics)", sourceLocation: sourceLocation)
    #expect(result.lines.count == 1, "\(result.diagnostics)", sourceLocation: sourceLocation)
    #expect(result.diagnostics.hasPrefix("tgi-run: error: "), sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    for word in words {
        #expect(result.diagnostics.contains(word), "\(result.diagnostics)", sourceLocation: sourceLocation)
    }
}

func expectSuccess(_ result: Command.Result, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(result.exitCode == 0, "\(result.diagnostics)", sourceLocation: sourceLocation)
}
