internal import Compute
internal import Quant

/// The weights of a program on a device.
final class XPUWeights: LoadedWeights {
    /// What they were loaded with, and programs that use them are compiled with.
    let context: Context
    let library: KernelLibrary
    /// Multiplied or looked up; by weight index.
    let matrices: [DeviceMatrix?]
    /// Where each norm weight, bias or sink starts, as floats; by weight index.
    let vectors: [Slice?]
    private let vectorMemory: Memory
    let byteCount: Int

    init(
        _ context: Context, _ library: KernelLibrary, matrices: [DeviceMatrix?], vectors: [Slice?],
        vectorMemory: consuming Memory
    ) {
        self.context = context
        self.library = library
        self.matrices = matrices
        self.vectors = vectors
        byteCount = matrices.reduce(0) { $0 + ($1?.memory.byteCount ?? 0) } + vectorMemory.byteCount
        self.vectorMemory = vectorMemory
    }
}

/// One or more stacked matrices (the experts of a mixture) in a layout of the kernels.
final class DeviceMatrix: Sendable {
    let layout: WeightLayout
    let rows: Int
    let columns: Int
    let experts: Int
    let expertBytes: Int
    let memory: Memory

    init(_ context: Context, _ layout: WeightLayout, _ declaration: WeightDeclaration) throws(XPUError) {
        self.layout = layout
        rows = declaration.rows
        columns = declaration.columns
        experts = declaration.experts
        expertBytes = layout.byteCount(rows: rows, columns: columns)
        memory = try Memory(context, .device, byteCount: expertBytes * experts)
    }
}
