import GGUF
import JSON
import Quant

/// How many tensors, weights and bytes each format has in a file.
struct TypeSummary {
    struct Entry {
        let format: Format
        var tensors = 0
        var weights = 0
        var bytes = 0
    }

    /// The largest first.
    let entries: [Entry]

    init(_ tensors: [(info: TensorInfo, format: Format)]) {
        var byFormat: [Format: Entry] = [:]
        for (info, format) in tensors {
            var entry = byFormat[format] ?? Entry(format: format)
            entry.tensors += 1
            entry.weights += info.elementCount
            entry.bytes += format.byteCount(of: info.elementCount) ?? 0
            byFormat[format] = entry
        }
        entries = byFormat.values.sorted { ($0.bytes, $0.format.id) > ($1.bytes, $1.format.id) }
    }

    init(_ file: GGUFFile) { self.init(file.tensors.map { ($0, $0.format) }) }

    var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    var table: String {
        var table = Table([
            ("type", .left), ("tensors", .right), ("weights", .right), ("size", .right), ("share", .right),
        ])
        for entry in entries {
            let share = Double(entry.bytes) / Double(max(1, bytes))
            table.add([
                entry.format.name, "\(entry.tensors)", "\(entry.weights)", CLI.bytes(entry.bytes),
                "\(fixed(share * 100, 1)) %",
            ])
        }
        return table.rendered
    }

    var json: JSON {
        .array(
            entries.map { entry in
                [
                    "type": .string(entry.format.name), "tensors": JSON(entry.tensors), "weights": JSON(entry.weights),
                    "bytes": JSON(entry.bytes),
                ]
            })
    }
}
