import ArgumentParser
import CPU
import Compute
import Engine
import Glibc
import Models
import XPU

/// The value of `--device`.
enum DeviceChoice: Equatable, ExpressibleByArgument, CustomStringConvertible {
    /// A GPU that can run the model, else the CPU.
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

    /// What was given, else the value of `TGI_RUN_DEVICE`, else `auto`.
    static func chosen(_ given: DeviceChoice?) throws -> DeviceChoice {
        if let given { return given }
        guard let value = unsafe getenv("TGI_RUN_DEVICE") else { return .auto }
        let text = unsafe String(cString: value)
        if text.isEmpty { return .auto }
        guard let choice = DeviceChoice(argument: text) else {
            throw ValidationError("TGI_RUN_DEVICE is '\(text)' in the environment: it takes auto, cpu, xpu or xpu:N")
        }
        return choice
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
    /// - Parameters:
    ///   - choice: `nil` where `--device` is not given.
    ///   - need: What `auto` looks for in a GPU.
    static func open(_ choice: DeviceChoice?, for need: Need, threads: Int?, repack: Bool) throws -> OpenDevice {
        func cpu(_ reason: String?) -> OpenDevice {
            OpenDevice(backend: CPUBackend(threads: threads, repack: repack), reason: reason, isReplaceable: false)
        }
        switch try DeviceChoice.chosen(choice) {
        case .cpu: return cpu(nil)
        case .xpu(let index):
            return OpenDevice(backend: try XPUBackend(index: index ?? 0), reason: nil, isReplaceable: false)
        case .auto:
            guard Presence.isLikely else { return cpu(nil) }
            switch SuitableGPU.find(need) {
            case .success(let found): return found
            case .failure(let none): return cpu(none.reason)
            }
        }
    }

    /// Opens a device and sets a model up on it. Where `auto` took a GPU that then cannot do that, the CPU takes its place.
    ///
    /// - Parameter body: Announces the device and loads the model.
    static func load<R>(
        _ choice: DeviceChoice?, for need: Need, threads: Int?, repack: Bool, _ body: (OpenDevice) throws -> R
    ) throws -> R {
        let reason: String
        do {
            let opened = try open(choice, for: need, threads: threads, repack: repack)
            do {
                return try body(opened)
            } catch EngineError.backend(_, let error) where opened.isReplaceable {
                reason = "\(opened.backend.device.id) cannot load the model (\(error))"
            }
        }
        // The GPU is let go by now.
        return try body(
            OpenDevice(
                backend: CPUBackend(threads: threads, repack: repack), reason: reason, isReplaceable: false))
    }

    /// A model, and the bytes of its cache.
    struct Need {
        let model: Model
        let cacheBytes: Int

        /// Context that a GPU must have room for where none is asked for.
        static let leastContext = 2048

        /// - Parameter context: `nil` where none is asked for.
        init(_ model: Model, context: Int?, cacheFormat: KVFormat, sequences: Int = 1) {
            self.model = model
            let length = context ?? min(model.trainedContext, Self.leastContext)
            var configuration = Runtime.Configuration(contextLength: length, kvFormat: cacheFormat)
            configuration.sequences = sequences
            cacheBytes = MemoryPlan.cache(of: model, configuration)
        }
    }
}

/// A device and why it was taken.
struct OpenDevice {
    let backend: any Backend
    /// `nil` where the user named it, or where there was nothing to choose from.
    let reason: String?
    /// Whether another may take its place: it was found, not named.
    let isReplaceable: Bool

    /// One line for the user.
    var announcement: String? { reason.map { "device \(backend.device.id), \(backend.device.name): \($0)" } }
}

/// The GPU that `auto` takes: the first that has the memory, can compute the model and passes a short self-test; those with memory
/// of their own before those that share the host's.
enum SuitableGPU {
    struct None: Error {
        let reason: String
    }

    static func find(_ need: Devices.Need) -> Result<OpenDevice, None> {
        let reports: [DeviceReport]
        do { reports = try DeviceReport.all() } catch { return .failure(None(reason: "\(error)")) }
        guard !reports.isEmpty else { return .failure(None(reason: "\(XPUError.noDevice(index: 0, count: 0))")) }
        var refusals: [String] = []
        let order = reports.indices.sorted {
            (reports[$0].isIntegrated ? 1 : 0, $0) < (reports[$1].isIntegrated ? 1 : 0, $1)
        }
        for index in order {
            do {
                let backend = try XPUBackend(index: index)
                try backend.check(need.model.weights, need.model.program, extra: need.cacheBytes + MemoryPlan.reserve)
                if let failure = backend.quickTestFailure() {
                    refusals.append("xpu:\(index) fails its self-test (\(failure))")
                    continue
                }
                return .success(
                    OpenDevice(
                        backend: backend,
                        reason: "it passes its self-test and has \(bytes(backend.device.memory)) of free memory",
                        isReplaceable: true))
            } catch {
                refusals.append("xpu:\(index): \(error)")
            }
        }
        return .failure(None(reason: refusals.joined(separator: "; ")))
    }
}
