internal import Quant

/// How a matrix lies on the device (kernels/layout.h): tiles of 16 outputs, per tile parts of columns.
struct WeightLayout: Hashable, Sendable {
    /// Suffix of the kernels that read it.
    let name: String
    /// The kernel that makes it from GGUF blocks, and the columns that one of its work-items takes.
    let unpack: String
    let unpackColumns: Int
    /// Columns of a part and bytes of a part of one tile.
    let partColumns: Int
    let partBytes: Int
    /// Products take activations as 8-bit codes, not as floats.
    let isInteger: Bool

    static let tileRows = 16

    /// `nil` where the format is not computed.
    init?(_ format: Format) {
        if let groups = format.groups {
            guard groups.length == 32 || groups.length == 16 else { return nil }
            let perPart = 32 / groups.length
            name = "integer\(groups.length)\(groups.hasMinimum ? "_min" : "")"
            unpack = "unpack_\(format.name.lowercased())"
            unpackColumns = format.blockLength
            partColumns = 32
            partBytes = (32 + 4 * perPart * (groups.hasMinimum ? 2 : 1)) * Self.tileRows
            isInteger = true
        } else {
            guard let name = Self.floats[format] else { return nil }
            self.name = name
            unpack = "unpack_words\(format.blockBytes * 8)"
            unpackColumns = 1
            partColumns = 1
            partBytes = format.blockBytes * Self.tileRows
            isInteger = false
        }
    }

    private static let floats: [Format: String] = [.f16: "f16", .bf16: "bf16", .f32: "f32"]

    func tiles(rows: Int) -> Int { (rows + Self.tileRows - 1) / Self.tileRows }

    /// Bytes of one matrix.
    func byteCount(rows: Int, columns: Int) -> Int { tiles(rows: rows) * (columns / partColumns) * partBytes }
}
