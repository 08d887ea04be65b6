package import GGUF

/// Typed access to the metadata of one architecture: keys are given without the architecture's prefix.
package struct Hyperparameters: Sendable {
    package let architecture: String
    package let path: String
    private let metadata: Metadata

    package init(_ metadata: Metadata, architecture: String, path: String) {
        self.metadata = metadata
        self.architecture = architecture
        self.path = path
    }

    /// A length or count: at least one, at most 2³¹ - 1.
    func count(_ key: String) throws(ModelError) -> Int {
        guard let value = try optionalCount(key) else { throw missing(key) }
        return value
    }

    func optionalCount(_ key: String) throws(ModelError) -> Int? {
        guard let value = try int(key) else { return nil }
        return try checked(value, key)
    }

    /// One count per layer, from an array or from one number that holds for all.
    func counts(_ key: String, layers: Int) throws(ModelError) -> [Int] {
        guard let values = try optionalCounts(key, layers: layers) else { throw missing(key) }
        return values
    }

    func optionalCounts(_ key: String, layers: Int) throws(ModelError) -> [Int]? {
        guard let values = try read(key, { m, k throws(GGUFError) in try m.ints(k) }) else { return nil }
        guard values.count == 1 || values.count >= layers else {
            throw invalid(key, "has \(values.count) entries for \(layers) layers")
        }
        var result: [Int] = []
        for layer in 0..<layers { result.append(try checked(values.count == 1 ? values[0] : values[layer], key)) }
        return result
    }

    func int(_ key: String) throws(ModelError) -> Int? {
        try read(key) { m, k throws(GGUFError) in try m.int(k) }
    }

    func float(_ key: String) throws(ModelError) -> Double? {
        guard let value = try read(key, { m, k throws(GGUFError) in try m.float(k) }) else { return nil }
        guard value.isFinite else { throw invalid(key, "is \(value)") }
        return value
    }

    func string(_ key: String) throws(ModelError) -> String? {
        try read(key) { m, k throws(GGUFError) in try m.string(k) }
    }

    /// Tokens in the vocabulary: the key where it is written, else the length of the tokenizer's list.
    func vocabularySize() throws(ModelError) -> Int {
        if let size = try optionalCount("vocab_size") { return size }
        do {
            if let tokens = try metadata.strings("tokenizer.ggml.tokens"), !tokens.isEmpty { return tokens.count }
        } catch {
            throw .file(error)
        }
        throw missing("vocab_size")
    }

    func invalid(_ key: String, _ problem: String) -> ModelError {
        .metadata(path: path, key: fullKey(key), problem: problem)
    }

    private func missing(_ key: String) -> ModelError { invalid(key, "is missing") }
    private func fullKey(_ key: String) -> String { architecture + "." + key }

    private func checked(_ value: Int, _ key: String) throws(ModelError) -> Int {
        guard value >= 1, value <= Int(Int32.max) else { throw invalid(key, "is \(value), out of range") }
        return value
    }

    private func read<T>(
        _ key: String, _ get: (Metadata, String) throws(GGUFError) -> T?
    ) throws(ModelError) -> T? {
        do { return try get(metadata, fullKey(key)) } catch { throw .file(error) }
    }
}
