internal import CSoftXPU

/// The OpenCL runtime that executes: one CPU device with one in-order queue.
@safe final class Runtime {
    let cl: softxpu_opencl
    let device: cl_device
    let context: cl_context
    let queue: cl_queue
    /// Names the library's version and the processor: built programs of another one are of no use.
    let version: String

    /// Opens the library.
    init(path: String) throws(Failure) {
        let storage = UnsafeMutablePointer<softxpu_opencl>.allocate(capacity: 1)
        defer { unsafe storage.deallocate() }
        if let problem = unsafe softxpu_open_opencl(path, storage) {
            throw .refusal(
                ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE,
                unsafe "the OpenCL runtime does not load: \(String(cString: problem)). Install it (pip install intel-opencl-rt "
                    + "intel-cmplr-lib-rt, or let scripts/soft-xpu do it) and name libintelocl.so in SOFTXPU_OPENCL")
        }
        let table = unsafe storage.pointee
        cl = table
        var platform: cl_platform?
        var device: cl_device?
        guard unsafe table.clGetPlatformIDs(1, &platform, nil) == 0, let platform = unsafe platform,
            unsafe table.clGetDeviceIDs(platform, UInt64(CL_DEVICE_TYPE_CPU_BITS), 1, &device, nil) == 0,
            let device = unsafe device, let context = unsafe table.clCreateContext(nil, 1, [device], nil, nil, nil),
            let queue = unsafe table.clCreateCommandQueueWithProperties(context, device, nil, nil)
        else {
            throw .refusal(ZE_RESULT_ERROR_UNINITIALIZED, "the OpenCL runtime \(path) offers no CPU device")
        }
        unsafe self.device = device
        unsafe self.context = context
        unsafe self.queue = queue
        func info(_ id: UInt32) -> String {
            var bytes = [UInt8](repeating: 0, count: 256)
            _ = unsafe table.clGetDeviceInfo(device, id, bytes.count, &bytes, nil)
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        version = info(UInt32(CL_DRIVER_VERSION_ID)) + " " + info(UInt32(CL_DEVICE_NAME_ID))
    }

    /// Why a program could not be built.
    struct BuildFailure: Error { let log: String }

    /// Builds a module, with the matrix library where it imports from it. `constants` are specialization constants.
    func build(_ code: [UInt8], linksMatrix: Bool, constants: [(UInt32, [UInt8])]) throws(BuildFailure) -> Program {
        let program = try create(code)
        for (id, value) in constants
        where unsafe cl.clSetProgramSpecializationConstant(program.handle, id, value.count, value) != 0 {
            throw BuildFailure(log: "specialization constant \(id) of \(value.count) bytes is not one of the module's")
        }
        if !linksMatrix {
            guard unsafe cl.clBuildProgram(program.handle, 1, [device], "", nil, nil) == 0 else {
                throw BuildFailure(log: log(program))
            }
            return program
        }
        var size = 0
        let bytes = unsafe softxpu_matrix_library(&size)
        let library = try unsafe create(Array(UnsafeBufferPointer(start: bytes, count: size)))
        for part in [program, library] {
            guard unsafe cl.clCompileProgram(part.handle, 1, [device], "", 0, nil, nil, nil, nil) == 0 else {
                throw BuildFailure(log: log(part))
            }
        }
        var status: Int32 = 0
        let parts: [cl_program?] = unsafe [program.handle, library.handle]
        guard let linked = unsafe cl.clLinkProgram(context, 1, [device], "", 2, parts, nil, nil, &status) else {
            throw BuildFailure(log: "linking the matrix library failed (OpenCL error \(status))")
        }
        let result = unsafe Program(linked, cl)
        if status != 0 { throw BuildFailure(log: log(result)) }
        return result
    }

    /// A program from bytes that `binary` gave; nil: the runtime does not take them.
    func load(_ binary: [UInt8]) -> Program? {
        unsafe binary.withUnsafeBufferPointer { bytes in
            var lengths = bytes.count
            var pointers: UnsafePointer<UInt8>? = bytes.baseAddress
            guard let handle = unsafe cl.clCreateProgramWithBinary(context, 1, [device], &lengths, &pointers, nil, nil)
            else {
                return nil
            }
            let program = unsafe Program(handle, cl)
            return unsafe cl.clBuildProgram(handle, 1, [device], "", nil, nil) == 0 ? program : nil
        }
    }

    func binary(_ program: Program) -> [UInt8] {
        var size = 0
        guard
            unsafe cl.clGetProgramInfo(program.handle, UInt32(CL_PROGRAM_BINARY_SIZES_ID), 8, &size, nil) == 0, size > 0
        else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var pointer = buffer.baseAddress
            _ = unsafe cl.clGetProgramInfo(program.handle, UInt32(CL_PROGRAM_BINARIES_ID), 8, &pointer, nil)
            count = size
        }
    }

    func kernel(_ program: Program, _ name: String) -> ProgramKernel? {
        unsafe cl.clCreateKernel(program.handle, name, nil).map { unsafe ProgramKernel($0, cl, device) }
    }

    private func create(_ code: [UInt8]) throws(BuildFailure) -> Program {
        guard let handle = unsafe cl.clCreateProgramWithIL(context, code, code.count, nil) else {
            throw BuildFailure(log: "the runtime does not take the SPIR-V module")
        }
        return unsafe Program(handle, cl)
    }

    private func log(_ program: Program) -> String {
        var size = 0
        let id = UInt32(CL_PROGRAM_BUILD_LOG_ID)
        guard unsafe cl.clGetProgramBuildInfo(program.handle, device, id, 0, nil, &size) == 0, size > 0 else {
            return "no log"
        }
        var bytes = [UInt8](repeating: 0, count: size)
        _ = unsafe cl.clGetProgramBuildInfo(program.handle, device, id, size, &bytes, nil)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

@safe final class Program {
    let handle: cl_program
    private let cl: softxpu_opencl

    init(_ handle: cl_program, _ cl: softxpu_opencl) {
        unsafe self.handle = handle
        self.cl = cl
    }
    deinit { _ = unsafe cl.clReleaseProgram(handle) }
}

@safe final class ProgramKernel {
    let handle: cl_kernel
    /// Bytes of local memory that it declares itself, and of private memory per work-item.
    let localMemory: Int
    let privateMemory: Int
    private let cl: softxpu_opencl

    init(_ handle: cl_kernel, _ cl: softxpu_opencl, _ device: cl_device) {
        unsafe self.handle = handle
        self.cl = cl
        func info(_ id: UInt32) -> Int {
            var value: UInt64 = 0
            return unsafe cl.clGetKernelWorkGroupInfo(handle, device, id, 8, &value, nil) == 0 ? Int(value) : 0
        }
        localMemory = info(UInt32(CL_KERNEL_LOCAL_MEM_SIZE_ID))
        privateMemory = info(UInt32(CL_KERNEL_PRIVATE_MEM_SIZE_ID))
    }
    deinit { _ = unsafe cl.clReleaseKernel(handle) }
}
