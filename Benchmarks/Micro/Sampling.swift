import Engine

/// One step at the vocabulary of Llama 3, on logits spread like a language model's and on ones as flat as they come.
func benchmarkSampling() throws {
    let vocabulary = 128_256
    var random = SystemRandomNumberGenerator()
    func logits(scale: Float) -> [Float] {
        (0..<vocabulary).map { _ in
            scale * (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &random) }
        }
    }
    var peaked = logits(scale: 2.5)
    for place in 0..<20 { peaked[place * 6000] = 18 - Float(place) / 2 }
    let shapes = [("peaked", peaked), ("flat", logits(scale: 0.3))]
    let prompt = (0..<2000).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }

    var candidates = Candidates()
    for (shape, logits) in shapes {
        func step(
            _ name: String, topCount: Int = 0, wantsLogprob: Bool = true,
            _ change: (inout SamplingParameters) -> Void
        ) throws {
            var parameters = SamplingParameters()
            change(&parameters)
            var sampler = try Sampler(parameters, prompt: prompt, vocabulary: vocabulary)
            var position = 0
            try measure("\(shape): \(name)") {
                _ = try sampler.choose(
                    logits: logits.span, position: position, topCount: topCount, wantsLogprob: wantsLogprob,
                    using: &candidates)
                position += 1
            }
        }
        try step("greedy", wantsLogprob: false) { _ in }
        try step("greedy, logprob") { _ in }
        try step("greedy, logprob, top 5", topCount: 5) { _ in }
        try step("greedy, repetition penalty, 2000 tokens") { $0.repetitionPenalty = 1.1 }
        try step("temperature") { $0.temperature = 0.8 }
        try step("temperature, top-k 50") { ($0.temperature, $0.topK) = (0.8, 50) }
        try step("temperature, top-p 0.95") { ($0.temperature, $0.topP) = (0.8, 0.95) }
        try step("temperature, min-p 0.05") { ($0.temperature, $0.minP) = (0.8, 0.05) }
        try step("temperature, typical-p 0.95") { ($0.temperature, $0.typicalP) = (0.8, 0.95) }
        try step("temperature, top-k 50, top-p 0.95") { ($0.temperature, $0.topK, $0.topP) = (0.8, 50, 0.95) }
    }
}
