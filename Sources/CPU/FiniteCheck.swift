internal import Compute
internal import Quant
internal import Synchronization

/// Looks for scales and values that are no finite numbers, on all workers.
struct FiniteCheck {
    private struct Piece {
        let weight: Int
        let bytes: Range<Int>
    }

    private struct Weight {
        let declaration: WeightDeclaration
        let format: Format
        let bytes: WeightBytes
        let evicting: Bool
    }

    private var weights: [Weight] = []
    private var pieces: [Piece] = []

    /// Bytes that are brought in and checked at a time.
    private static let pieceBytes = 4 << 20

    /// Adds a weight to what is checked.
    ///
    /// - Parameter evicting: Whether its bytes need not stay in memory.
    mutating func add(_ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, evicting: Bool = false) {
        let step = Self.pieceBytes / format.blockBytes * format.blockBytes
        for first in stride(from: 0, to: bytes.count, by: step) {
            pieces.append(Piece(weight: weights.count, bytes: first..<min(first + step, bytes.count)))
        }
        weights.append(Weight(declaration: weight, format: format, bytes: bytes, evicting: evicting))
    }

    /// - Parameter progress: Gets the share of the bytes that is checked.
    func run(on pool: WorkerPool, progress: @Sendable (Double) -> Void) throws(BackendError) {
        guard !pieces.isEmpty else { return }
        let counter = WorkCounter()
        let firstBad = Atomic<Int>(Int.max)
        withoutActuallyEscaping(progress) { progress in
            pool.run { worker in
                while true {
                    let index = counter.next()
                    guard index < pieces.count else { return }
                    let piece = pieces[index]
                    let weight = weights[piece.weight]
                    unsafe HugePages.prepare(
                        weight.bytes.base + piece.bytes.lowerBound, piece.bytes.count, for: .reading)
                    if weight.format.firstNonFiniteBlock(in: weight.bytes, piece.bytes) != nil {
                        firstBad.min(index, ordering: .relaxed)
                    }
                    if weight.evicting { weight.bytes.evict(piece.bytes) }
                    if worker == 0 { progress(Double(index + 1) / Double(pieces.count)) }
                }
            }
        }
        let bad = firstBad.load(ordering: .relaxed)
        guard bad < pieces.count else { return }
        let (piece, weight) = (pieces[bad], weights[pieces[bad].weight])
        let block = weight.format.firstNonFiniteBlock(in: weight.bytes, piece.bytes) ?? 0
        throw weight.declaration.nonFinite(weight.format, piece.bytes.lowerBound / weight.format.blockBytes + block)
    }
}

extension WeightDeclaration {
    func failure(_ problem: String) -> BackendError { .weights("tensor '\(name)' \(problem)") }

    func nonFinite(_ format: Format, _ block: Int) -> BackendError {
        format.blockLength > 1
            ? failure("has a scale that is no finite number in block \(block)")
            : failure("has a value that is no finite number at element \(block)")
    }
}

extension Format {
    func firstNonFiniteBlock(in bytes: WeightBytes, _ range: Range<Int>) -> Int? {
        unsafe firstNonFiniteBlock(
            in: UnsafeRawBufferPointer(start: bytes.base + range.lowerBound, count: range.count).bytes)
    }
}
