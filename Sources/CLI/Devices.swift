import ArgumentParser
import CPU
import Compute
import XPU

/// The value of `--device`.
enum DeviceChoice: Equatable, ExpressibleByArgument, CustomStringConvertible {
    case auto
    case cpu
    /// An Intel GPU; the first one where no number is given.
    case xpu(Int?)

    init?(argument: String) {
        switch argument.lowercased() {
        case "auto": self = .auto
        case "cpu": self = .cpu
        case "xpu": self = .xpu(nil)
        case let name:
            guard name.hasPrefix("xpu:"), let index = Int(name.dropFirst(4)), index >= 0 else { return nil }
            self = .xpu(index)
        }
    }

    var description: String {
        switch self {
        case .auto: "auto"
        case .cpu: "cpu"
        case .xpu(let index): index.map { "xpu:\($0)" } ?? "xpu"
        }
    }
}

/// Where every backend is named: one line each.
enum Devices {
    static func open(_ choice: DeviceChoice, threads: Int?, repack: Bool) throws -> any Backend {
        switch choice {
        case .auto, .cpu: CPUBackend(threads: threads, repack: repack)
        case .xpu(let index): try XPUBackend(index: index ?? 0)
        }
    }
}
