internal import CSoftXPU

/// zeModule…
extension Driver {
    func moduleCreate(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ desc: UnsafePointer<ze_module_desc_t>?,
        _ out: UnsafeMutablePointer<OpaquePointer?>?, _ log: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let device = try unsafe deviceRegistry.find(device, "hDevice")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_MODULE_DESC, \.stype, "desc")
        let out = try unsafe require(out, "phModule")
        guard let input = unsafe desc.pInputModule else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "desc->pInputModule is NULL")
        }
        if unsafe desc.inputSize == 0 { throw .violation(ZE_RESULT_ERROR_INVALID_SIZE, "desc->inputSize is 0") }
        let bytes = unsafe Array(UnsafeBufferPointer(start: input, count: desc.inputSize))
        let flags = unsafe desc.pBuildFlags.map { unsafe String(cString: $0) } ?? ""
        if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        builds += 1
        do throws(Failure) {
            let parts: BuiltModule
            switch unsafe desc.format {
            case ZE_MODULE_FORMAT_IL_SPIRV:
                parts = try unsafe build(bytes, flags, try constants(desc.pConstants), for: device)
            case ZE_MODULE_FORMAT_NATIVE: parts = try load(bytes, for: device)
            default:
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ENUMERATION,
                    unsafe "desc->format is \(desc.format.rawValue): neither SPIR-V nor native")
            }
            unsafe log?.pointee = buildLogs.add { BuildLog($0, "") }.handle
            unsafe out.pointee =
                unsafe modules.add {
                    Module(
                        $0, context, device, code: parts.code, program: parts.program, binary: parts.binary,
                        options: parts.options)
                }.handle
        } catch {
            unsafe log?.pointee = buildLogs.add { BuildLog($0, error.message) }.handle
            throw error
        }
    }

    struct BuiltModule {
        let code: SPIRV
        let program: Program
        let binary: [UInt8]
        let options: BuildOptions
    }

    private func constants(_ pointer: UnsafePointer<ze_module_constants_t>?) throws(Failure) -> [(UInt32, [UInt8])] {
        guard let list = unsafe pointer?.pointee, unsafe list.numConstants > 0 else { return [] }
        guard unsafe list.pConstantIds != nil, unsafe list.pConstantValues != nil else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "desc->pConstants names no identifiers or no values")
        }
        throw .refusal(
            ZE_RESULT_ERROR_UNSUPPORTED_FEATURE,
            "specialization constants are not supported; compile one module per value")
    }

    private func build(
        _ bytes: [UInt8], _ flags: String, _ constants: [(UInt32, [UInt8])], for device: Device
    ) throws(Failure) -> BuiltModule {
        func failed(_ text: String) -> Failure { .refusal(ZE_RESULT_ERROR_MODULE_BUILD_FAILURE, text) }
        if options.failBuild?.hits(builds) ?? false {
            throw failed("injected fault: build \(builds) fails (SOFTXPU_FAIL_BUILD)")
        }
        let buildOptions = BuildOptions(flags)
        if let unknown = buildOptions.unknown { throw failed("build flag \"\(unknown)\" is not known") }
        let code: SPIRV
        do throws(SPIRV.Problem) { code = try SPIRV(bytes) } catch { throw failed(error.text) }
        if let problem = ModuleRules.problem(code, on: device.profile) { throw failed(problem) }

        let runtime = try runtime()
        let linksMatrix = code.imports.contains { SPIRV.matrixSize($0) != nil }
        var size = 0
        let library = unsafe softxpu_matrix_library(&size)
        let key = unsafe ProgramCache.key(
            [Array(runtime.version.utf8), Array(flags.utf8), bytes]
                + (linksMatrix ? [Array(UnsafeBufferPointer(start: library, count: size))] : []))
        let cache = ProgramCache(folder: options.cache)
        let validates = options.validates
        // Building takes seconds; the program's other threads go on.
        let result = withoutLock { () -> Result<(Program, NativeBinary), Runtime.BuildFailure> in
            if let kept = cache.load(key), kept.code == bytes, let program = runtime.load(kept.program) {
                return .success((program, kept))
            }
            if validates, let problem = Validator.problem(bytes) { return .failure(Runtime.BuildFailure(log: problem)) }
            do throws(Runtime.BuildFailure) {
                let program = try runtime.build(bytes, linksMatrix: linksMatrix, constants: constants)
                let binary = NativeBinary(
                    runtime: runtime.version, options: flags, code: bytes, program: runtime.binary(program))
                cache.store(key, binary)
                return .success((program, binary))
            } catch {
                return .failure(error)
            }
        }
        softxpu_watch_faults()
        switch result {
        case .success(let (program, binary)):
            return BuiltModule(code: code, program: program, binary: binary.bytes, options: buildOptions)
        case .failure(let failure): throw failed(failure.log)
        }
    }

    private func load(_ bytes: [UInt8], for device: Device) throws(Failure) -> BuiltModule {
        let runtime = try runtime()
        func refused(_ text: String) -> Failure { .refusal(ZE_RESULT_ERROR_INVALID_NATIVE_BINARY, text) }
        guard let binary = NativeBinary(bytes) else {
            throw refused("the native binary is damaged or not from this driver")
        }
        guard binary.runtime == runtime.version else {
            throw refused("the native binary was made for \(binary.runtime), this is \(runtime.version)")
        }
        guard let code = try? SPIRV(binary.code), let program = runtime.load(binary.program) else {
            throw refused("the runtime does not take the native binary")
        }
        if let problem = ModuleRules.problem(code, on: device.profile) {
            throw refused("the native binary was made for another device: \(problem)")
        }
        return BuiltModule(code: code, program: program, binary: bytes, options: BuildOptions(binary.options))
    }

    func moduleDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let module = try unsafe modules.find(handle, "hModule")
        if module.kernels > 0 {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                "\(module.label) still has \(module.kernels) kernels; destroy them first")
        }
        modules.remove(module)
    }

    func moduleGetNativeBinary(
        _ handle: OpaquePointer?, _ size: UnsafeMutablePointer<Int>?, _ out: UnsafeMutablePointer<UInt8>?
    ) throws(Failure) {
        try unsafe bytes(modules.find(handle, "hModule").binary, size, out, "pModuleNativeBinary")
    }

    func moduleGetKernelNames(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?,
        _ out: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) throws(Failure) {
        let module = try unsafe modules.find(handle, "hModule")
        try unsafe list(module.code.kernels.map { unsafe Names.pointer($0.name) }, unsafe count, unsafe out, "pCount")
    }

    func moduleGetProperties(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_module_properties_t>?)
        throws(Failure)
    {
        _ = try unsafe modules.find(handle, "hModule")
        try unsafe structure(out, ZE_STRUCTURE_TYPE_MODULE_PROPERTIES, \.stype, "pModuleProperties").pointee.flags = 0
    }

    func moduleBuildLogGetString(
        _ handle: OpaquePointer?, _ size: UnsafeMutablePointer<Int>?, _ out: UnsafeMutablePointer<CChar>?
    ) throws(Failure) {
        try unsafe bytes(Array(buildLogs.find(handle, "hModuleBuildLog").text.utf8) + [0], size, out, "pBuildLog")
    }

    func moduleBuildLogDestroy(_ handle: OpaquePointer?) throws(Failure) {
        unsafe buildLogs.remove(try buildLogs.find(handle, "hModuleBuildLog"))
    }
}

/// Texts that callers keep pointers to: each lives as long as the process.
enum Names {
    private nonisolated(unsafe) static var known: [String: UnsafePointer<CChar>] = unsafe [:]

    /// Callers hold the driver's lock.
    static func pointer(_ name: String) -> UnsafePointer<CChar>? {
        if let pointer = unsafe known[name] { return unsafe pointer }
        let text = name.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
        for (i, byte) in text.enumerated() { unsafe copy[i] = byte }
        unsafe known[name] = UnsafePointer(copy)
        return unsafe UnsafePointer(copy)
    }
}
