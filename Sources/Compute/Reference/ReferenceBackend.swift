internal import Quant

/// The readable scalar reference of every ``Op``: decoded weights, one loop per formula, sums in double precision.
///
/// Slow on purpose. The conformance suite compares every other backend with it.
package struct ReferenceBackend: Backend {
    package let device = DeviceInfo(id: "reference", name: "scalar reference", threads: 1, memory: .max)

    package init() {}

    package func supports(_ op: Op) -> Bool { true }

    package func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights {
        var matrices: [ReferenceWeights.Matrix] = []
        for declaration in program.weights {
            let bytes = try source.read(declaration)
            guard let format = source.format(of: declaration.name) else {
                throw .weights("tensor '\(declaration.name)' is missing")
            }
            matrices.append(
                .init(
                    rows: declaration.rows, columns: declaration.columns,
                    values: unsafe format.decodeAll(bytes.base, count: declaration.count)))
            progress(Double(matrices.count) / Double(program.weights.count))
        }
        return ReferenceWeights(matrices)
    }

    package func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable {
        guard let weights = weights as? ReferenceWeights else { throw .unsupported("weights of another backend") }
        return ReferenceExecutable(program, weights, cache)
    }
}

/// Weights decoded to `Float`.
final class ReferenceWeights: LoadedWeights {
    struct Matrix: Sendable {
        let rows: Int
        let columns: Int
        /// `[experts, rows, columns]`
        let values: [Float]
    }

    let matrices: [Matrix]
    let byteCount: Int

    init(_ matrices: [Matrix]) {
        self.matrices = matrices
        byteCount = matrices.reduce(0) { $0 + $1.values.count * 4 }
    }
}

extension Format {
    /// Decodes `count` weights, a whole number of blocks.
    fileprivate func decodeAll(_ base: UnsafeRawPointer, count: Int) -> [Float] {
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            for block in 0..<count / blockLength {
                unsafe decodeBlock(base + block * blockBytes, buffer.baseAddress! + block * blockLength)
            }
            initialized = count
        }
    }
}
