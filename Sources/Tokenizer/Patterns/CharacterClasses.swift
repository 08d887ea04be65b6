/// The coarsest partition of all scalars that tells the sets of some patterns apart: text becomes one class number per byte,
/// and a set becomes a 64-bit mask of classes.
struct CharacterClasses: Sendable {
    /// Stands at continuation bytes, so that a run over a set can step over them without decoding.
    static let continuation: UInt8 = 63
    /// Stands after the last byte of a piece; in no set.
    static let end: UInt8 = 62
    /// Most classes that a mask has room for.
    static let limit = 62
    static let continuationMask = UInt64(1) << UInt64(continuation)

    private let classes: [UInt8]
    private let masks: [ScalarSet: UInt64]
    let count: Int

    init(_ sets: Set<ScalarSet>) {
        precondition(sets.count <= 64)
        let sets = Array(sets)
        var borders: [UInt32] = UnicodeData.categoryRuns.map { $0 >> 5 }
        for set in sets { set.addBorders(to: &borders) }
        borders.append(Self.scalarLimit)
        borders.sort()

        var classes = [UInt8](repeating: 0, count: Int(Self.scalarLimit))
        var classOfSignature: [UInt64: UInt8] = [:]
        var signatures: [UInt64] = []
        var run = 0
        for (start, end) in zip(borders, borders.dropFirst()) where start < end {
            while run + 1 < UnicodeData.categoryRuns.count, UnicodeData.categoryRuns[run + 1] >> 5 <= start { run += 1 }
            let category = GeneralCategory(rawValue: UInt8(UnicodeData.categoryRuns[run] & 31))!
            var signature: UInt64 = 0
            for (bit, set) in sets.enumerated() where set.contains(start, category) { signature |= 1 << UInt64(bit) }
            let number =
                classOfSignature[signature]
                ?? {
                    let number = UInt8(signatures.count)
                    classOfSignature[signature] = number
                    signatures.append(signature)
                    return number
                }()
            if number != 0 { for scalar in Int(start)..<Int(end) { classes[scalar] = number } }
        }
        precondition(signatures.count <= Self.limit, "a pre-tokenizer needs \(signatures.count) character classes")
        self.classes = classes
        count = signatures.count

        var masks: [ScalarSet: UInt64] = [:]
        for (bit, set) in sets.enumerated() {
            var mask: UInt64 = 0
            for (number, signature) in signatures.enumerated() where signature >> UInt64(bit) & 1 == 1 {
                mask |= 1 << UInt64(number)
            }
            masks[set] = mask
        }
        self.masks = masks
    }

    private static let scalarLimit: UInt32 = 0x110000

    /// The classes that make up `set`, one of the sets given at the start.
    func mask(_ set: ScalarSet) -> UInt64 { masks[set]! }

    /// One class number per byte of `text`, and `end` after the last.
    func classify(_ text: Span<UInt8>, into result: inout [UInt8]) {
        result.removeAll(keepingCapacity: true)
        result.append(contentsOf: repeatElement(Self.continuation, count: text.count))
        result.append(Self.end)
        let classes = classes.span
        var output = result.mutableSpan
        var index = 0
        while index < text.count {
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: index)
            output[index] = classes[Int(scalar)]
            index += length
        }
    }
}
