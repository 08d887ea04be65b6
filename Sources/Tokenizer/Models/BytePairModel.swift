import GGUF

/// Byte-pair encoding: words by the vocabulary's pre-tokenizer, merged in the order of `tokenizer.ggml.merges`.
struct BytePairModel: TokenModel {
    private let splitter: WordSplitter
    private let encoder: MergeEncoder
    private let merges: MergeTable
    /// Set where spaces are escaped.
    private let words: EscapedWords?

    init(_ metadata: Metadata, _ vocabulary: Vocabulary, _ preTokenizer: PreTokenizer) throws(TokenizerError) {
        splitter = WordSplitter(preTokenizer)
        merges = try MergeTable(metadata, vocabulary)
        if preTokenizer.escapesSpaces {
            encoder = MergeEncoder(
                vocabulary: vocabulary, symbols: .characters, byteTokens: vocabulary.byteTokens(), unknown: nil,
                looksUpWords: preTokenizer.ignoresMerges, looksUpNewlines: preTokenizer.keepsNewlines)
            words = EscapedWords(vocabulary)
        } else {
            let bytes = (0..<256).map { vocabulary.id(ofKey: [UInt8($0)].span) ?? -1 }
            encoder = MergeEncoder(
                vocabulary: vocabulary, symbols: .bytes, byteTokens: bytes, unknown: nil,
                looksUpWords: preTokenizer.ignoresMerges)
            words = nil
        }
    }

    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID]) {
        if let words {
            let escaped = EscapedSpace.escape(text, prefix: false)
            encode(escaped.span, words, into: &output)
        } else {
            encode(text, nil, into: &output)
        }
    }

    private func encode(_ text: Span<UInt8>, _ words: EscapedWords?, into output: inout [TokenID]) {
        var splits = WordSplitter.Scratch()
        var scratch = MergeEncoder.Scratch()
        splitter.split(text, &splits)
        output.reserveCapacity(output.count + text.count / 3)
        var start = 0
        for end in splits.ends {
            guard let words else {
                encoder.encode(text.extracting(start..<end), merges, &scratch, into: &output)
                start = end
                continue
            }
            while start < end {
                let wordEnd = words.end(from: start, in: text, limit: end)
                encoder.encode(text.extracting(start..<wordEnd), merges, &scratch, into: &output)
                start = wordEnd
            }
        }
    }
}
