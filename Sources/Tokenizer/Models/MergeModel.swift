/// What the models that merge neighbours have in common: words, a cache of words, symbols to begin with, bytes as a last resort.
struct MergeEncoder: Sendable {
    /// What a word is before anything merges.
    enum Symbols: Sendable {
        /// The token of each byte.
        case bytes
        /// UTF-8 characters.
        case characters
    }

    let vocabulary: Vocabulary
    let symbols: Symbols
    /// The token of each byte; -1 where there is none.
    let byteTokens: [TokenID]
    /// Stands for a byte that has no token; without it such a byte is lost, as in the reference.
    let unknown: TokenID?
    /// A word that is a token is that token.
    var looksUpWords = false
    /// The same for words of newlines only.
    var looksUpNewlines = false

    struct Scratch {
        var merger = Merger()
        var cache = WordCache()
    }

    /// Appends the tokens of one word.
    @inline(__always)
    func encode(
        _ word: Span<UInt8>, _ rule: some MergeRule, _ scratch: inout Scratch, into output: inout [TokenID]
    ) {
        guard word.count <= WordCache.longestWord else {
            merge(word, rule, &scratch.merger, into: &output)
            return
        }
        let key = WordCache.Key(word)
        if scratch.cache.append(key, to: &output) { return }
        let start = output.count
        merge(word, rule, &scratch.merger, into: &output)
        scratch.cache.insert(key, output[start...])
    }

    private func merge(
        _ word: Span<UInt8>, _ rule: some MergeRule, _ merger: inout Merger, into output: inout [TokenID]
    ) {
        if looksUpWords || (looksUpNewlines && isNewlines(word)), let id = vocabulary.id(ofKey: word) {
            output.append(id)
            return
        }
        merger.begin()
        switch symbols {
        case .bytes:
            for index in word.indices { merger.append(byteTokens[Int(word[index])], index..<index + 1) }
        case .characters:
            var index = 0
            while index < word.count {
                let end = index + UTF8Bytes.scalar(in: word, at: index).length
                merger.append(vocabulary.id(ofKey: word.extracting(index..<end)) ?? -1, index..<end)
                index = end
            }
        }
        merger.run(rule, word) { id, range in
            if id >= 0 {
                output.append(id)
            } else {
                for index in range { appendByte(word[index], to: &output) }
            }
        }
    }

    private func appendByte(_ byte: UInt8, to output: inout [TokenID]) {
        let id = byteTokens[Int(byte)]
        if id >= 0 { output.append(id) } else if let unknown { output.append(unknown) }
    }

    private func isNewlines(_ word: Span<UInt8>) -> Bool {
        for index in word.indices where word[index] != UInt8(ascii: "\n") { return false }
        return !word.isEmpty
    }
}
