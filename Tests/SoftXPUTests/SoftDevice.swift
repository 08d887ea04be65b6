import Foundation
import TestSupport
import Testing

/// Runs programs of Tests/SoftXPUHost on the software device, each in a process of its own, through the real loader.
struct SoftDevice {
    struct Result {
        let output: String
        /// Lines of stderr.
        let lines: [String]
        /// The exit code, or minus the signal.
        let status: Int32

        var text: String { "status \(status)\n" + output + lines.joined(separator: "\n") }
    }

    let host: String
    let driver: String
    let runtime: String
    let kernels: String

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The device; nil where something is missing, which is said and with CI=true is a failure.
    static func find(sourceLocation: SourceLocation = #_sourceLocation) -> SoftDevice? {
        let environment = ProcessInfo.processInfo.environment
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let products = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        let device = SoftDevice(
            host: products.appendingPathComponent("SoftXPUHost").path,
            driver: products.appendingPathComponent("libSoftXPU.so").path,
            runtime: environment["SOFTXPU_OPENCL"]
                ?? root.appendingPathComponent(".venv-softxpu/lib/libintelocl.so").path,
            kernels: root.appendingPathComponent("Tests/SoftXPUTests/kernels").path)
        var missing: String?
        if unsafe dlopen("libze_loader.so.1", RTLD_LAZY) == nil {
            missing = "the Level Zero loader (Debian package libze1)"
        } else if !FileManager.default.fileExists(atPath: device.runtime) {
            missing = "the OpenCL runtime (scripts/soft-xpu true installs it)"
        }
        guard let missing else { return device }
        if TestData.isCI {
            Issue.record("missing: \(missing)", sourceLocation: sourceLocation)
        } else {
            print("note: the software device is not tested, because something is missing: \(missing)")
        }
        return nil
    }

    /// Runs a scenario. The device is strict and leaks fail unless `variables` say otherwise; built programs come from a folder that the
    /// tests share.
    func run(_ scenario: String, _ variables: [String: String] = [:]) throws -> Result {
        try start(scenario, variables).finish()
    }

    struct Running {
        let process: Process
        let output: Pipe
        let diagnostics: Pipe

        func finish() -> Result {
            // What scenarios print fits into a pipe.
            process.waitUntilExit()
            let output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let lines = String(decoding: diagnostics.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return Result(
                output: output, lines: lines.split(separator: "\n").map(String.init),
                status: process.terminationReason == .uncaughtSignal
                    ? -process.terminationStatus : process.terminationStatus)
        }
    }

    func start(_ scenario: String, _ variables: [String: String] = [:]) throws -> Running {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: host)
        process.arguments = [scenario, kernels]
        var environment = [
            "ZE_ENABLE_ALT_DRIVERS": driver, "SOFTXPU_OPENCL": runtime, "SOFTXPU_STRICT": "1", "SOFTXPU_LEAKS": "fail",
            "SOFTXPU_STALL": "500", "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin",
            "SOFTXPU_CACHE": Self.root.appendingPathComponent(".venv-softxpu/cache").path,
        ]
        environment.merge(variables) { $1 }
        process.environment = environment
        let (output, diagnostics) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = diagnostics
        try process.run()
        return Running(process: process, output: output, diagnostics: diagnostics)
    }
}
