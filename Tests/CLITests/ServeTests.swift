import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// `tgi-run serve` as an operator starts it: a real model, a real socket, a real signal.
struct ServeTests {
    /// A server of the built binary on a free port.
    final class Server: @unchecked Sendable {
        let process = Process()
        let port: Int
        private let output = Pipe()
        private(set) var lines: [String] = []

        struct NeverConnected: Error {
            let lines: [String]
        }

        /// Waits until the server says `Connected`.
        init(_ arguments: [String], environment: [String: String] = [:], program: String = Command.path) throws {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = Command.environment(environment)
            process.standardOutput = output
            try process.run()
            var text = ""
            var port: Int?
            while port == nil {
                let data = output.fileHandleForReading.availableData
                text += String(decoding: data, as: UTF8.self)
                let lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
                let line = lines.first { $0.contains("Connected") && text.contains($0 + "\n") }
                port = line?.firstMatch(of: /127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
                self.lines = lines
                if data.isEmpty && port == nil {
                    self.port = 0
                    throw NeverConnected(lines: lines)
                }
            }
            self.port = port ?? 0
        }

        deinit { if process.isRunning { process.terminate() } }

        /// The answer to a request on a connection of its own, from the status line on.
        func ask(_ request: String) throws -> String {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            let connected = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(connected == 0)
            let bytes = Array(request.utf8)
            #expect(unsafe send(descriptor, bytes, bytes.count, 0) == bytes.count)
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
                answer += buffer[..<count]
            }
        }

        func post(_ path: String, _ body: String) throws -> String {
            try ask(
                "POST \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        func get(_ path: String) throws -> String {
            try ask("GET \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        }

        /// Sends a signal and waits for the end.
        /// - Returns: The exit code and all lines.
        func stop(with signal: Int32 = SIGTERM) -> (code: Int32, lines: [String]) {
            kill(process.processIdentifier, signal)
            let rest = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, lines + rest.split(separator: "\n").map(String.init))
        }
    }

    private static let local = ["serve", "-m", ExampleModel.path, "--hostname", "127.0.0.1", "--port", "0"]

    @Test(arguments: [SIGTERM, SIGINT])
    func `It serves until a signal, and says what it does`(signal: Int32) throws {
        let server = try Server(Self.local)
        let answer = try server.post("/generate", #"{"inputs":"Once upon a time","parameters":{"max_new_tokens":4}}"#)
        let plain = try Command.run("-m", ExampleModel.path, "-p", "Once upon a time", "-n", "4")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(answer.hasSuffix("\r\n\r\n" + JSON(["generated_text": .string(plain.text)] as JSONObject).text()))
        let (code, lines) = server.stop(with: signal)
        #expect(code == 0)
        for part in [
            "Device: cpu", "Maximum total tokens defaulted to 512", "Maximum input tokens defaulted to 511",
            "Default `max_batch_prefill_tokens` to 512", "Setting max batch total tokens to ", "Memory plan: weights ",
            "Connected", ": Success", "signal received, starting graceful shutdown",
        ] {
            #expect(lines.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test func `Variables stand in for flags, and flags beat them`() throws {
        let server = try Server(
            Self.local + ["--max-best-of", "3"],
            environment: [
                "MAX_BEST_OF": "7", "MAX_STOP_SEQUENCES": "9", "JSON_OUTPUT": "true", "PORT": "1", "CUDA_GRAPHS": "0",
            ])
        let info = try server.get("/info")
        #expect(info.contains(#""max_best_of":3,"max_stop_sequences":9"#))
        let lines = server.stop().lines
        for line in lines { #expect(throws: Never.self) { try JSON.parse(line) } }
        let warnings = lines.filter { $0.contains("Accepted without effect") }
        #expect(warnings.count == 1 && warnings[0].contains("CUDA_GRAPHS"))
    }

    @Test func `TGI's own start script runs under TGI's name`() throws {
        let folder = try TemporaryFolder()
        let program = folder.path("text-generation-launcher")
        try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: Command.path)
        let server = try Server(
            [
                "--model-id", ExampleModel.path, "--hostname", "127.0.0.1", "-p", "0", "--num-shard", "1",
                "--quantize=awq",
                "--dtype", "float16", "--trust-remote-code", "--cuda-graphs", "0", "--usage-stats", "off",
            ], program: program)
        #expect(try server.get("/health").hasPrefix("HTTP/1.1 200 OK"))
        let (code, lines) = server.stop()
        #expect(code == 0)
        let warning = lines.filter { $0.contains(" WARN ") }
        #expect(warning.count == 1)
        for flag in ["--num-shard", "--quantize", "--dtype", "--trust-remote-code", "--cuda-graphs", "--usage-stats"] {
            #expect(warning.first?.contains(flag) == true, "\(flag)")
        }
    }

    @Test(arguments: [
        (["--max-input-tokens", "512"], "`max_input_tokens` must be < `max_total_tokens`"),
        (["--max-total-tokens", "1024"], "`max_total_tokens` must be <= 512"),
        (
            ["--max-total-tokens", "100", "--max-batch-total-tokens", "50"],
            "`max_total_tokens` must be <= `max_batch_total_tokens`"
        ),
        (
            ["--max-batch-prefill-tokens", "600", "--max-batch-total-tokens", "512"],
            "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`"
        ),
    ])
    func `Limits that contradict each other are refused`(flags: [String], problem: String) throws {
        let result = try Command.run(["serve", "-m", ExampleModel.path] + flags, environment: ["LOG_LEVEL": "error"])
        expectFailure(result, mentions: "Invalid argument: " + problem)
    }

    @Test(arguments: [
        ["--validation-workers", "0"], ["--max-batch-size", "0"], ["--port", "70000"], ["--max-best-of", "0"],
        ["--max-input-tokens", "5", "--max-input-length", "5"], ["--api-key", ""], ["--no-such-flag"],
        ["--max-total-tokens", "9223372036854775807"], ["--max-batch-total-tokens", "100000000000000"],
        ["--max-batch-size", "288230376151711744"], ["--max-total-tokens", "-9223372036854775808"],
    ])
    func `Wrong usage is told`(flags: [String]) throws {
        expectFailure(try Command.run(["serve", "-m", ExampleModel.path] + flags), exitCode: 2)
    }

    @Test func `A variable that cannot be read is named`() throws {
        let result = try Command.run(
            ["serve", "-m", ExampleModel.path], environment: ["MAX_BEST_OF": "many"])
        expectFailure(result, exitCode: 2, mentions: "many", "MAX_BEST_OF is set in the environment")
    }

    @Test func `A name on the Hub is told from a path`() throws {
        let result = try Command.run(
            ["serve", "--model-id", "org/some-model"], environment: ["LOG_LEVEL": "error"])
        expectFailure(result, mentions: "org/some-model", "Hub", ".gguf")
    }
}
