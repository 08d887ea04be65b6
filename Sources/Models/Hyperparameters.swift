package import GGUF

/// Typed access to the metadata of one architecture: keys are given without the architecture's prefix.
package struct Hyperparameters: Sendable {
    package let architecture: String
    package let path: String
    /// Tokens of context that the program is drawn for, where that is not the trained length.
    let plannedContext: Int?
    private let metadata: Metadata

    package init(_ metadata: Metadata, architecture: String, path: String, plannedContext: Int? = nil) {
        self.metadata = metadata
        self.architecture = architecture
        self.path = path
        self.plannedContext = plannedContext
    }

    /// Layers of the forward pass. `block_count` also counts layers that only predict further tokens ahead.
    func layerCount() throws(ModelError) -> Int {
        let blocks = try count("block_count")
        let ahead = try int("nextn_predict_layers") ?? 0
        guard ahead >= 0, ahead < blocks else {
            throw invalid("nextn_predict_layers", "is \(ahead) of \(blocks) layers")
        }
        return blocks - ahead
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

    /// An array of integers, empty where the file has none.
    func integers(_ key: String) throws(ModelError) -> [Int] {
        try read(key) { m, k throws(GGUFError) in try m.ints(k) } ?? []
    }

    func float(_ key: String) throws(ModelError) -> Double? {
        guard let value = try read(key, { m, k throws(GGUFError) in try m.float(k) }) else { return nil }
        guard value.isFinite else { throw invalid(key, "is \(value)") }
        return value
    }

    func requiredFloat(_ key: String) throws(ModelError) -> Double {
        guard let value = try float(key) else { throw missing(key) }
        return value
    }

    /// `attention.scale`, which replaces the usual scale of scores; zero stands for the usual one.
    func attentionScale() throws(ModelError) -> Float? {
        guard let scale = try float("attention.scale"), scale > 0 else { return nil }
        return Float(scale)
    }

    /// A soft-cap; zero stands for none.
    func cap(_ key: String) throws(ModelError) -> Float? {
        guard let cap = try float(key), cap != 0 else { return nil }
        guard cap > 0 else { throw invalid(key, "is \(cap)") }
        return Float(cap)
    }

    func bool(_ key: String) throws(ModelError) -> Bool? {
        try read(key) { m, k throws(GGUFError) in try m.bool(k) }
    }

    /// An array of truth values, which some writers store as integers.
    func flags(_ key: String) throws(ModelError) -> [Bool]? {
        if case .array(.bool) = metadata[fullKey(key)] {
            return try read(key) { m, k throws(GGUFError) in try m.bools(k) }
        }
        return try read(key) { m, k throws(GGUFError) in try m.ints(k) }?.map { $0 != 0 }
    }

    func isArray(_ key: String) -> Bool {
        if case .array = metadata[fullKey(key)] { true } else { false }
    }

    func has(_ key: String) -> Bool { metadata[fullKey(key)] != nil }

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
