import CPU
import Compute
import Glibc
import TestSupport
import Testing
import XPU

/// A backend that the suite runs on.
struct Device: Sendable, CustomTestStringConvertible {
    let name: String
    private let make: @Sendable () -> any Backend

    /// Of its own for each session where steps share threads: suites run side by side.
    var backend: any Backend { make() }

    var testDescription: String { name }

    private init(name: String, make: @escaping @Sendable () -> any Backend) {
        self.name = name
        self.make = make
    }

    /// The CPU, and the first device that Level Zero shows: the software device under `scripts/soft-xpu`, or a GPU.
    static let all: [Device] = [cpu] + (xpu.map { [$0] } ?? [])
    static let cpu = Device(name: "cpu") { CPUBackend(threads: 2) }
    static let xpu: Device? =
        opened.value == nil
        ? nil
        : Device(name: "xpu") {
            guard let backend = opened.value else { preconditionFailure("the process ends") }
            return backend
        }
    private static let opened = UntilExit<XPUBackend> {
        do { return try XPUBackend() } catch {
            // Said once, not hidden: where a device is promised, ``XPUPresence`` fails.
            print("the XPU backend is not checked here: \(error)")
            return nil
        }
    }

    /// Set by scripts that run the tests on a device.
    static let xpuIsPromised = unsafe getenv("TGI_RUN_TEST_XPU") != nil
}
