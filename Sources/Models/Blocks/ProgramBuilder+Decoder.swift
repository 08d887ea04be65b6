internal import Compute

/// The ends that all decoders have.
extension ProgramBuilder {
    /// The embedding of the step's tokens.
    mutating func tokens(_ shape: DecoderShape, scale: Float = 1) -> Value {
        embed("token_embd", vocabulary: shape.vocabulary, width: shape.width, scale: scale)
    }

    /// Logits of the wanted rows: the last norm and the product with `output`, or with the embedding where the file has none.
    mutating func logits(_ x: Value, _ norm: Norm, vocabulary: Int) -> Value {
        let x = norm(&self, outputRows(x), "output_norm")
        return linear(x, has("output") ? "output" : "token_embd", outputs: vocabulary)
    }

    mutating func logits(_ x: Value, _ norm: Norm, _ shape: DecoderShape) -> Value {
        logits(x, norm, vocabulary: shape.vocabulary)
    }
}
