/// What a profile's compiler would refuse, or should: a plain success of the real one proves little.
enum ModuleRules {
    /// Capabilities of SPIR-V that a module may ask for, by number.
    private static let capabilities: Set<UInt32> = [
        0,  // Matrix
        1,  // Shader: only as what others imply
        4,  // Addresses
        5,  // Linkage
        6,  // Kernel
        7,  // Vector16
        8, 9,  // Float16Buffer, Float16
        10,  // Float64: only where the device has doubles
        11,  // Int64
        12,  // Int64Atomics
        18,  // Groups
        22,  // Int16
        38,  // GenericPointer
        39,  // Int8
        58,  // SubgroupDispatch
        61,  // GroupNonUniform and its kinds
        62, 63, 64, 65, 66, 67,
        4427,  // SubgroupBallotKHR
        5568,  // SubgroupShuffleINTEL
        5569,  // SubgroupBufferBlockIOINTEL
        6016, 6017, 6018, 6019,  // Dot products
        6400,  // Integer dot products under their first names
    ]
    private static let float64: UInt32 = 10

    static func problem(_ code: SPIRV, on profile: Profile) -> String? {
        let (major, minor) = code.version
        if (major, minor) > (Driver.spirvVersion.major, Driver.spirvVersion.minor) {
            return
                "SPIR-V \(major).\(minor) is newer than the \(Driver.spirvVersion.major).\(Driver.spirvVersion.minor) that the device reports"
        }
        if let unknown = code.capabilities.subtracting(capabilities).min() {
            return "capability \(unknown) of SPIR-V is not supported"
        }
        if code.capabilities.contains(float64) && !profile.hasDoubles {
            return "the module uses double (capability Float64), which \(profile.name) lacks"
        }
        for name in code.imports where SPIRV.matrixSize(name) == nil && !name.hasPrefix("__spirv_") && !isBuiltin(name)
        {
            return "function \(name) is imported and defined nowhere"
        }
        for name in code.imports {
            guard let size = SPIRV.matrixSize(name) else { continue }
            if profile.matrixSubGroupSize == nil { return "\(name) needs a matrix engine, which \(profile.name) lacks" }
            if size != profile.matrixSubGroupSize {
                return
                    "\(name) is for sub-groups of \(size); the matrix engine of \(profile.name) works in sub-groups of "
                    + "\(profile.matrixSubGroupSize!)"
            }
        }
        for kernel in code.kernels {
            if let size = kernel.subGroupSize, !profile.subGroupSizes.contains(size) {
                return
                    "kernel \"\(kernel.name)\" requires sub-group size \(size); \(profile.name) has \(profile.subGroupSizes)"
            }
            if let size = kernel.matrixSizes.first(where: { $0 != kernel.subGroupSize }) {
                return "kernel \"\(kernel.name)\" calls matrix functions for sub-groups of \(size), but "
                    + (kernel.subGroupSize.map { "requires sub-group size \($0)" } ?? "requires no sub-group size")
                    + "; give it intel_reqd_sub_group_size(\(size))"
            }
            for parameter in kernel.parameters {
                if case .unsupported(let what) = parameter.kind {
                    return "parameter \(parameter.name) of kernel \"\(kernel.name)\" is \(what), which is not supported"
                }
            }
        }
        return nil
    }

    /// OpenCL's own functions that the translator leaves as imports.
    private static func isBuiltin(_ name: String) -> Bool { name.contains("printf") }
}
