internal import CSoftXPU

/// A kernel with the arguments and the group size that the next launch takes.
final class Kernel: Object {
    let module: Module
    let entry: SPIRV.Kernel
    let executable: ProgramKernel
    var arguments: [Argument?]
    var groupSize: [UInt32]?
    var offset: [UInt32] = [0, 0, 0]
    /// Kinds of memory that it may reach through pointers in memory.
    var indirect: Set<MemoryKind> = []

    enum Argument {
        /// A pointer to global or constant memory; nil: NULL.
        case pointer(UInt, Allocation?)
        /// Bytes of local memory.
        case local(Int)
        case bytes([UInt8])
    }

    init(_ serial: Int, _ module: Module, _ entry: SPIRV.Kernel, _ executable: ProgramKernel) {
        self.module = module
        self.entry = entry
        self.executable = executable
        arguments = Array(repeating: nil, count: entry.parameters.count)
        groupSize = entry.requiredGroupSize
        super.init(.kernel, serial)
    }

    override var label: String { "kernel \"\(entry.name)\"" }

    var profile: Profile { module.device.profile }

    /// The sub-group size that limits the group size: the kernel's own, or the largest that the compiler may choose.
    var subGroupSize: UInt32 { entry.subGroupSize ?? profile.subGroupSizes.last! }

    /// The largest work-group: all its sub-groups live on one Xe core.
    var largestGroup: UInt32 {
        min(Profile.largestGroup, profile.threadsPerGroup(largeRegisters: module.options.largeRegisters) * subGroupSize)
    }

    /// How messages name an argument.
    func name(argument index: Int) -> String {
        let name = entry.parameters[index].name
        return "argument \(index)\(name.isEmpty ? "" : " (\(name))") of \(label)"
    }

    func check(groupSize: [UInt32]) throws(Failure) {
        let total = groupSize.reduce(UInt64(1)) { $0 * UInt64($1) }
        if groupSize.contains(0) {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, "\(label): group size \(groupSize) has a zero")
        }
        if total > UInt64(largestGroup) {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION,
                "\(label): group size \(groupSize) makes \(total) work-items; on \(profile.name) at most \(largestGroup) fit"
                    + (largestGroup < Profile.largestGroup
                        ? " (sub-group size \(subGroupSize)\(module.options.largeRegisters ? ", large registers" : ""))"
                        : ""))
        }
        if let required = entry.requiredGroupSize, required != groupSize {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION,
                "\(label) was compiled for group size \(required), not \(groupSize)")
        }
        if entry.usesMatrix, let size = entry.subGroupSize, total % UInt64(size) != 0 {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION,
                "\(label) uses the matrix engine: its group size \(groupSize) must fill sub-groups of \(size)")
        }
    }
}
