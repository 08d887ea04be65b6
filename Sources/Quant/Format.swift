/// An element format of GGUF tensors: its geometry and its readable reference codec.
///
/// A tensor row of `n` weights in a format is `n / blockLength` consecutive blocks of `blockBytes` bytes each.
/// Every value of this type is declared in a file of its own family under `Formats/` and listed once in ``Format/all``.
package struct Format: Sendable {
    /// Numeric type id in the GGUF tensor directory (`ggml_type`).
    package let id: UInt32
    /// Name as written by GGUF tools, for example `Q4_K`.
    package let name: String
    /// Weights in one block.
    package let blockLength: Int
    /// Bytes in one block.
    package let blockBytes: Int
    /// How weights share scales; `nil` for formats whose elements are plain numbers.
    package let groups: Groups?

    let decoder: Decoder
    let encoder: Encoder?
    /// Fields that must be finite.
    let scales: [ScaleField]

    init(
        id: UInt32,
        name: String,
        blockLength: Int,
        blockBytes: Int,
        groups: Groups? = nil,
        scales: [ScaleField] = [],
        encoder: Encoder? = nil,
        decoder: @escaping Decoder
    ) {
        self.id = id
        self.name = name
        self.blockLength = blockLength
        self.blockBytes = blockBytes
        self.groups = groups
        self.scales = scales
        self.encoder = encoder
        self.decoder = decoder
    }
}

/// Decodes one block into `blockLength` values; in a format of plain numbers, any count of them.
typealias Decoder = @Sendable (Span<UInt8>, inout MutableSpan<Float>) -> Void
/// Encodes `blockLength` finite values as one block, which is all zeros before; in a format of plain numbers, any count.
typealias Encoder = @Sendable (Span<Float>, inout MutableSpan<UInt8>) -> Void

extension Format {
    /// A quantized block is a sequence of groups of weights: `w = scale * code - minimum`, with an integer code of
    /// eight bits per weight and one binary32 scale (and, where there is one, minimum) per group.
    package struct Groups: Sendable, Hashable {
        /// Weights in a group.
        package let length: Int
        /// Whether a group has a minimum.
        package let hasMinimum: Bool

        init(of length: Int, hasMinimum: Bool = false) {
            self.length = length
            self.hasMinimum = hasMinimum
        }
    }
}

extension Format {
    /// Columns of activations that share a scale in products with 8-bit codes: those of a block of 256, otherwise 32. `nil` in
    /// formats of plain numbers, whose products take floats.
    package var activationColumns: Int? { groups == nil ? nil : blockLength == 256 ? 256 : 32 }
}

extension Format: Hashable, CustomStringConvertible {
    package static func == (a: Format, b: Format) -> Bool { a.id == b.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
    package var description: String { name }
}

extension Format {
    /// Bytes of `count` weights, or `nil` where `count` is negative, no whole number of blocks, or the product overflows.
    package func byteCount(of count: Int) -> Int? {
        guard count >= 0, count.isMultiple(of: blockLength) else { return nil }
        let (bytes, overflow) = (count / blockLength).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}
