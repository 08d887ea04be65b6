import GGUF
import Quant

/// One input of the fuzzer: the files of a model, in memory. The same seed and number always give the same case.
package struct FuzzCase: Sendable {
    package let path: String
    package let files: [String: [UInt8]]

    package init(seed: UInt64, number: Int) {
        var mixer = RandomSource(seed: seed)
        let mixed = mixer.next() ^ UInt64(truncatingIfNeeded: number) &* 0xD6E8_FEB8_6659_FD93
        var mutator = Mutator(RandomSource(seed: mixed))
        switch mutator.choose(8) {
        case 0: (path, files) = Self.split(&mutator)
        case 1: (path, files) = Self.compressed(&mutator)
        default:
            let file = Seeds.files[mutator.choose(Seeds.files.count)]
            (path, files) = ("model.gguf", ["model.gguf": mutator.mutate(file)])
        }
    }

    private static func split(_ mutator: inout Mutator) -> (String, [String: [UInt8]]) {
        var shards = Seeds.shards.map(\.bytes)
        for _ in 0...mutator.choose(2) {
            let number = mutator.choose(shards.count)
            switch mutator.choose(6) {
            case 0: shards[number] = []
            case 1: shards.swapAt(number, mutator.choose(shards.count))
            case 2: shards[number] = Seeds.files[mutator.choose(Seeds.files.count)].bytes
            default: shards[number] = mutator.mutate(Seeds.shards[number])
            }
        }
        var files: [String: [UInt8]] = [:]
        for (number, bytes) in shards.enumerated() where !bytes.isEmpty || mutator.chance(2) {
            files[Seeds.shardPath(number)] = bytes
        }
        return (Seeds.shardPath(mutator.chance(16) ? 1 : 0), files)
    }

    private static func compressed(_ mutator: inout Mutator) -> (String, [String: [UInt8]]) {
        let file = Seeds.files[mutator.choose(Seeds.files.count)]
        let damagesContent = mutator.chance(2)
        let content = damagesContent ? mutator.mutate(file) : file.bytes
        var bytes: [UInt8]
        switch mutator.choose(4) {
        case 0: bytes = Compression.frame(content)
        case 1: bytes = Compression.frame(content, saysSize: false)
        case 2: bytes = Compression.frames(content, size: 1 + content.count / 3)
        default:
            bytes =
                Compression.skippable([1, 2, 3])
                + Compression.frames(content, size: 1 + content.count / 2, saysSize: mutator.chance(2))
        }
        if !damagesContent { mutator.damage(&bytes) }
        return ("model.gguf.zst", ["model.gguf.zst": bytes])
    }

    package enum Outcome: Sendable {
        case opened
        case refused(String)
        /// What the reader should not have done.
        case finding(String)
    }

    /// Opens the case and uses everything that the API gives. Whatever is not an error must be consistent, and an error must be one line.
    package func run() -> Outcome {
        do throws(GGUFError) {
            let file = try GGUFFile.open(path, in: files)
            if let problem = Inspection.problem(of: file) { return .finding(problem) }
            for tensor in file.tensors {
                if let problem = try Inspection.problem(of: tensor, in: file) { return .finding(problem) }
            }
            return .opened
        } catch {
            let line = error.description
            if line.unicodeScalars.contains(where: { $0.value < 32 }) { return .finding("more than one line: \(line)") }
            if !line.hasPrefix("model") || error.problem.isEmpty {
                return .finding("names no file or no problem: \(line)")
            }
            return .refused(line)
        }
    }
}
