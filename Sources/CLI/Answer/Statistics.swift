import Engine
import GGUF
import Models

/// What `--verbose` tells after an answer.
struct Statistics {
    private let result: GenerationResult
    private let loaded: LoadedModel

    init(_ result: GenerationResult, _ loaded: LoadedModel) {
        self.result = result
        self.loaded = loaded
    }

    func print() {
        let timings = result.timings
        // On a terminal the text may have left the cursor in the middle of a line.
        Diagnostics.line("")
        Diagnostics.line("seed: \(result.seed.map { "\($0)" } ?? "none, the choice is greedy")")
        Diagnostics.line("prompt: \(rate(timings.promptTokens, timings.prompt))")
        // The first token comes out of the prompt's last step.
        Diagnostics.line("generation: \(rate(max(0, timings.generatedTokens - 1), timings.decode))")
        Diagnostics.line("choosing tokens: \(seconds(timings.sampling))")
        Diagnostics.line("finish reason: \(result.finish?.rawValue ?? "interrupted")")
        if let peak = System.peakMemory {
            let share = Double(peak) / Double(max(1, loaded.model.file.byteCount))
            Diagnostics.line("peak memory: \(bytes(peak)), \(fixed(share, 2)) x the file")
        }
    }

    private func rate(_ tokens: Int, _ time: Duration) -> String {
        let rate = time > .zero ? fixed(Double(tokens) / time.inSeconds, 1) : "-"
        return "\(tokens) tokens in \(seconds(time)), \(rate) tokens/s"
    }
}
