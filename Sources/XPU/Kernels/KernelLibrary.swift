internal import CXPU
internal import Synchronization

/// The embedded modules, compiled for a device, and their kernels by name.
final class KernelLibrary: Sendable {
    private let modules: [CompiledModule]
    /// Names the kernels, the device and its driver: what passes with them passes again.
    let identity: String
    private let used = Mutex<Set<KernelName>>([])

    init(_ context: Context, _ cache: NativeCache) throws(XPUError) {
        var modules: [CompiledModule] = []
        var identity: [UInt8] = []
        var index = 0
        while let module = unsafe xpu_embedded_module(index) {
            index += 1
            let name = unsafe String(cString: module.pointee.name)
            guard Self.runs(name, on: context.device) else { continue }
            let code = unsafe Span(_unsafeStart: module.pointee.code, count: module.pointee.count)
            modules.append(try CompiledModule(context, name: name, code, cache))
            identity += Array(NativeCache.key(context.device, code).utf8)
        }
        self.modules = modules
        self.identity = NativeCache.key(context.device, identity.span)
    }

    /// Modules for a kind of matrix engine compile on no other device.
    private static func runs(_ module: String, on device: PhysicalDevice) -> Bool {
        !module.hasPrefix("matrix") || module == device.matrixLanes.map { "matrix\($0)" }
    }

    /// A kernel of its own for the caller.
    func kernel(_ name: KernelName) throws(XPUError) -> Kernel {
        guard let module = modules.first(where: { $0.module.name == name.module }) else {
            preconditionFailure("there is no module \(name.module)")
        }
        let kernel = try Kernel(module, name.function)
        used.withLock { _ = $0.insert(name) }
        return kernel
    }

    /// Kernels that nobody has asked for, as "module.kernel".
    func unusedKernels() throws(XPUError) -> [String] {
        let used = used.withLock { $0 }
        var unused: [String] = []
        for module in modules {
            let name = module.module.name
            unused += try module.module.kernelNames().filter { !used.contains(KernelName(module: name, function: $0)) }
                .map { "\(name).\($0)" }
        }
        return unused.sorted()
    }
}

struct KernelName: Hashable, Sendable {
    let module: String
    let function: String

    static func linear(_ function: String) -> KernelName { KernelName(module: "linear", function: function) }
    /// - Parameter lanes: Of the matrix engine.
    static func matrix(_ function: String, lanes: Int) -> KernelName {
        KernelName(module: "matrix\(lanes)", function: function)
    }
    static func rows(_ function: String) -> KernelName { KernelName(module: "rows", function: function) }
    static func attention(_ function: String) -> KernelName { KernelName(module: "attention", function: function) }
    static func sampling(_ function: String) -> KernelName { KernelName(module: "sampling", function: function) }
    static func measure(_ function: String) -> KernelName { KernelName(module: "measure", function: function) }
    static func unpack(_ function: String) -> KernelName { KernelName(module: "unpack", function: function) }
}

/// A ``Module`` that its kernels share.
final class CompiledModule: Sendable {
    let module: Module

    /// From the cache where it holds a binary that the driver takes, else from SPIR-V.
    init(_ context: Context, name: String, _ spirv: Span<UInt8>, _ cache: NativeCache) throws(XPUError) {
        let key = NativeCache.key(context.device, spirv)
        if let cached = Self.cached(context, name, cache.load(key)) {
            module = cached
        } else {
            module = try Module(context, name: name, .spirv, spirv)
            let binary = module.nativeBinary()
            if !binary.isEmpty { cache.store(binary, key) }
        }
    }

    private static func cached(_ context: Context, _ name: String, _ binary: [UInt8]?) -> Module? {
        guard let binary else { return nil }
        do { return try Module(context, name: name, .native, binary.span) } catch { return nil }
    }
}
