/// An element format of GGUF tensors: its geometry and its readable reference codec.
///
/// A tensor row of `n` weights in a format is `n / blockLength` consecutive blocks of `blockBytes` bytes each.
/// Every value of this type is declared in a file of its own family under `Formats/` and listed once in ``Format/all``.
@safe
package struct Format: Sendable {
    /// Numeric type id in the GGUF tensor directory (`ggml_type`).
    package let id: UInt32
    /// Name as written by GGUF tools, for example `Q4_K`.
    package let name: String
    /// Weights in one block.
    package let blockLength: Int
    /// Bytes in one block.
    package let blockBytes: Int
    /// Decodes one block: `blockBytes` bytes into `blockLength` values.
    package let decodeBlock: @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void

    package init(
        id: UInt32,
        name: String,
        blockLength: Int,
        blockBytes: Int,
        decodeBlock: @escaping @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
    ) {
        self.id = id
        self.name = name
        self.blockLength = blockLength
        self.blockBytes = blockBytes
        unsafe self.decodeBlock = decodeBlock
    }
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
