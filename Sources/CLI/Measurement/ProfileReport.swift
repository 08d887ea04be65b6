import Compute
import JSON

/// A profile summed up: over the operations that do the same in every layer, and over the kinds of layers.
struct ProfileReport {
    struct Row {
        let kind: String
        /// The name of its case in ``Op``; `nil` for what belongs to no operation and for a whole kind.
        var op: String?
        /// Without layer and suffix: `attn_q`.
        var tensors: [String] = []
        var entry = Profile.Entry()
    }

    /// In the order of their first operation, what belongs to none last.
    private(set) var kinds: [Row] = []
    private(set) var ops: [Row] = []
    let seconds: Double
    let steps: Int

    init(_ profile: Profile) {
        seconds = profile.seconds
        steps = profile.steps
        for (op, entry) in zip(profile.program.ops, profile.entries) {
            let tensors = Self.tensors(op, profile.program)
            let kind = Self.kind(op, tensors, profile.domain(of: op))
            Self.add(entry, to: &kinds, Row(kind: kind))
            Self.add(entry, to: &ops, Row(kind: kind, op: op.name, tensors: tensors))
        }
        let other = Profile.Entry(seconds: profile.otherSeconds)
        Self.add(other, to: &kinds, Row(kind: "other"))
        Self.add(other, to: &ops, Row(kind: "other"))
    }

    private static func add(_ entry: Profile.Entry, to rows: inout [Row], _ row: Row) {
        let known = rows.firstIndex { $0.kind == row.kind && $0.op == row.op && $0.tensors == row.tensors }
        if known == nil { rows.append(row) }
        let index = known ?? rows.count - 1
        rows[index].entry = rows[index].entry + entry
    }

    /// Names of the tensors that an operation reads, each once: without layer, `.weight` and `.bias`.
    private static func tensors(_ op: Op, _ program: Program) -> [String] {
        var names: [String] = []
        for (weight, _) in op.weights {
            let parts = program[weight].name.split(separator: ".")
            let name = parts.dropFirst(parts.first == "blk" ? 2 : 0).first.map(String.init) ?? program[weight].name
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Products go by what they are a part of, which is how GGUF names of tensors begin; everything else by its operation.
    private static func kind(_ op: Op, _ tensors: [String], _ domain: RowDomain) -> String {
        guard op.weights.contains(where: { $0.role == .matrix }), let tensor = tensors.first else { return op.name }
        if domain == .outputs { return "head" }
        let part = tensor.prefix { $0 != "_" }
        return parts[String(part)] ?? "\(part) projections"
    }

    private static let parts = ["attn": "attention projections", "ffn": "MLP"]
}

extension ProfileReport {
    /// Two tables: by kind of layer and by operation, both per step.
    var text: String {
        let head = "\(steps) step\(steps == 1 ? "" : "s") of \(fixed(seconds / Double(max(1, steps)) * 1e3, 2)) ms\n\n"
        return head + table(kinds, [("kind", { $0.kind })]).rendered + "\n"
            + table(ops, [("operation", { $0.op ?? $0.kind }), ("tensors", { $0.tensors.joined(separator: ", ") })])
            .rendered
    }

    private func table(_ rows: [Row], _ names: [(String, (Row) -> String)]) -> Table {
        let figures: [(String, Table.Alignment)] = ["ms", "share", "GB/s", "GOPS"].map { ($0, .right) }
        var table = Table(names.map { ($0.0, .left) } + figures)
        for row in rows {
            let entry = row.entry
            table.add(
                names.map { $0.1(row) } + [
                    fixed(entry.seconds / Double(max(1, steps)) * 1e3, 3), "\(fixed(share(entry) * 100, 1)) %",
                    entry.gigabytesPerSecond.map { fixed($0, 1) } ?? "-",
                    entry.gigaOperationsPerSecond.map { fixed($0, 1) } ?? "-",
                ])
        }
        return table
    }

    private func share(_ entry: Profile.Entry) -> Double { seconds > 0 ? entry.seconds / seconds : 0 }

    var json: JSON {
        [
            "steps": JSON(steps), "seconds": JSON(seconds), "kinds": .array(kinds.map(json)),
            "ops": .array(ops.map(json)),
        ]
    }

    private func json(_ row: Row) -> JSON {
        var object: JSONObject = ["kind": .string(row.kind)]
        if let op = row.op {
            object["op"] = .string(op)
            object["tensors"] = .array(row.tensors.map { .string($0) })
        }
        let entry = row.entry
        object["seconds"] = JSON(entry.seconds)
        object["share"] = JSON(share(entry))
        object["bytes"] = JSON(entry.cost.bytes)
        object["operations"] = JSON(entry.cost.operations)
        object["gigabytes_per_second"] = entry.gigabytesPerSecond.map { JSON($0) } ?? .null
        object["giga_operations_per_second"] = entry.gigaOperationsPerSecond.map { JSON($0) } ?? .null
        return .object(object)
    }
}

extension Profile.Entry {
    var gigabytesPerSecond: Double? { rate(cost.bytes) }
    var gigaOperationsPerSecond: Double? { rate(cost.operations) }

    /// Billions per second; `nil` where nothing was counted.
    private func rate(_ count: Int) -> Double? {
        count > 0 && seconds > 0 ? Double(count) / seconds * 1e-9 : nil
    }
}
