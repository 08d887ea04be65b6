internal import Quant

/// How a matrix lies on the device (kernels/layout.h): tiles of 16 outputs, per tile records of columns.
struct WeightLayout: Hashable, Sendable {
    /// Suffix of the kernels that read it.
    let name: String
    /// The kernel that makes it from GGUF blocks, and the columns that one of its work-items takes.
    let unpack: String
    let unpackColumns: Int
    /// Columns and bytes of a record of one tile.
    let recordColumns: Int
    let recordBytes: Int
    /// Columns of activations that share a scale, where products take them as 8-bit codes; `nil` where they take floats.
    let activationColumns: Int?

    static let tileRows = 16

    /// `nil` where the format is not computed.
    init?(_ format: Format) {
        let name = format.name.lowercased()
        activationColumns = format.activationColumns
        if let groups = format.groups {
            unpackColumns = format.blockLength
            if let bytes = Self.own[format] {
                self.name = name
                unpack = "own_\(name)"
                recordColumns = format.blockLength
                recordBytes = bytes * Self.tileRows
                return
            }
            guard groups.length == 32 || groups.length == 16 else { return nil }
            let perPart = 32 / groups.length
            self.name = "integer\(groups.length)\(groups.hasMinimum ? "_min" : "")"
            unpack = "generic_\(name)"
            recordColumns = 32
            recordBytes = (32 + 4 * perPart * (groups.hasMinimum ? 2 : 1)) * Self.tileRows
        } else {
            guard [.f16, .bf16, .f32].contains(format) else { return nil }
            self.name = name
            unpack = "tile_words\(format.blockBytes * 8)"
            unpackColumns = 1
            // Floats of 2 bytes fill steps of a matrix engine.
            recordColumns = format == .f32 ? 1 : 16
            recordBytes = recordColumns * format.blockBytes * Self.tileRows
        }
    }

    /// Bytes per output of a record, for formats with a layout of their own.
    private static let own: [Format: Int] = [
        .q4_0: 18, .q8_0: 34, .q4_k: 148, .q5_k: 180, .q6_k: 210, .iq4_xs: 138,
    ]

    func tiles(rows: Int) -> Int { (rows + Self.tileRows - 1) / Self.tileRows }

    /// Bytes of one matrix.
    func byteCount(rows: Int, columns: Int) -> Int {
        tiles(rows: rows) * ((columns + recordColumns - 1) / recordColumns) * recordBytes
    }

    /// Whether products of tiles of so many rows go through a matrix engine. Sums of integers have the same bits without it, sums of
    /// floats do not.
    func usesEngine(rows: Int, columns: Int) -> Bool {
        activationColumns != nil ? rows == 8 : recordColumns > 1 && columns.isMultiple(of: 2)
    }
}
