import CPU
import Compute
import Glibc
import Testing
import XPU

/// A backend that the suite runs on.
struct Device: Sendable, CustomTestStringConvertible {
    let name: String
    let backend: any Backend

    var testDescription: String { name }

    /// The CPU, and the first device that Level Zero shows: the software device under `scripts/soft-xpu`, or a GPU.
    static let all: [Device] = [cpu] + (xpu.map { [$0] } ?? [])
    static let cpu = Device(name: "cpu", backend: CPUBackend(threads: 2))
    static let xpu: Device? = {
        do { return Device(name: "xpu", backend: try XPUBackend()) } catch {
            // Said once, not hidden: where a device is promised, ``XPUPresence`` fails.
            print("the XPU backend is not checked here: \(error)")
            return nil
        }
    }()

    /// Set by scripts that run the tests on a device.
    static let xpuIsPromised = unsafe getenv("TGI_RUN_TEST_XPU") != nil
}
