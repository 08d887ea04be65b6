import GGUF
import Quant

/// Looks at everything that an open file offers and says what is not as promised.
enum Inspection {
    static func problem(of file: GGUFFile) -> String? {
        for (key, value) in file.metadata.entries {
            if file.metadata[key] != value, !hasNaN(value) { return "key \(key) is not found" }
            use(file.metadata, key)
            touch(value)
        }
        for shard in Set(file.tensors.map(\.shard)) {
            let ordered = file.tensors.filter { $0.shard == shard }.sorted { $0.offset < $1.offset }
            for (first, second) in zip(ordered, ordered.dropFirst())
            where second.offset < first.offset + first.byteCount {
                return "\(first.name) and \(second.name) overlap"
            }
        }
        for tensor in file.tensors {
            if file.tensor(tensor.name) != tensor { return "tensor \(tensor.name) is not found" }
            if tensor.format.byteCount(of: tensor.elementCount) != tensor.byteCount {
                return "\(tensor.name) has a wrong size"
            }
        }
        return rewriteProblem(of: file)
    }

    /// Reads a tensor twice: every byte must be there, and the same.
    static func problem(of tensor: TensorInfo, in file: GGUFFile) throws(GGUFError) -> String? {
        var sums: [UInt64] = []
        for _ in 0..<2 {
            let data = try file.read(tensor)
            if data.count != tensor.byteCount {
                return "\(tensor.name) has \(data.count) bytes, not \(tensor.byteCount)"
            }
            sums.append(unsafe data.withUnsafeBytes { unsafe $0.reduce(0) { $0 &* 31 &+ UInt64($1) } })
            data.discard(0..<data.count)
        }
        return sums[0] == sums[1] ? nil : "\(tensor.name) is not the same when it is read again"
    }

    /// What was read, written and read again must be the same.
    private static func rewriteProblem(of file: GGUFFile) -> String? {
        let declarations = file.tensors.map { TensorDeclaration($0) }
        do throws(GGUFError) {
            let first = try EncodedHeader(metadata: withoutSplit(file.metadata), tensors: declarations)
            let end = first.tensors.map { $0.offset + $0.byteCount }.max() ?? first.bytes.count
            guard end < 1 << 20 else { return nil }
            let bytes = first.bytes + [UInt8](repeating: 0, count: max(0, end - first.bytes.count))
            let again = try GGUFFile.open("again", in: ["again": bytes])
            let second = try EncodedHeader(
                metadata: again.metadata, tensors: again.tensors.map { TensorDeclaration($0) })
            return first.bytes == second.bytes && first.tensors == again.tensors ? nil : "is not the same after writing"
        } catch {
            return "cannot be written: \(error)"
        }
    }

    private static func withoutSplit(_ metadata: Metadata) -> Metadata {
        var metadata = metadata
        for key in ["split.no", "split.count", "split.tensors.count"] { metadata[key] = nil }
        return metadata
    }

    /// Calls every getter; each may throw.
    private static func use(_ metadata: Metadata, _ key: String) {
        _ = try? metadata.string(key)
        _ = try? metadata.int(key)
        _ = try? metadata.float(key)
        _ = try? metadata.bool(key)
        _ = try? metadata.ints(key)
        _ = try? metadata.floats(key)
        _ = try? metadata.bools(key)
        _ = try? metadata.strings(key)
        _ = try? metadata.requiredString(key)
        _ = try? metadata.requiredInt(key)
        _ = try? metadata.requiredFloat(key)
    }

    private static func touch(_ value: Metadata.Value) {
        if case .array(let array) = value { touch(array) }
    }

    private static func touch(_ array: Metadata.Array) {
        switch array {
        case .strings(let strings):
            for index in strings.indices {
                let bytes = strings.withBytes(index) { $0.count }
                precondition(bytes == strings[index].count && strings.string(index).utf8.count >= bytes / 4)
            }
        case .arrays(let arrays): for array in arrays { touch(array) }
        default: break
        }
    }

    /// NaN differs from itself, which is no fault of the file.
    private static func hasNaN(_ value: Metadata.Value) -> Bool {
        switch value {
        case .float32(let float): float.isNaN
        case .float64(let float): float.isNaN
        case .array(let array): hasNaN(array)
        default: false
        }
    }

    private static func hasNaN(_ array: Metadata.Array) -> Bool {
        switch array {
        case .float32(let floats): floats.contains(where: \.isNaN)
        case .float64(let floats): floats.contains(where: \.isNaN)
        case .arrays(let arrays): arrays.contains(where: hasNaN)
        default: false
        }
    }
}
