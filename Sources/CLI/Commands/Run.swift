import ArgumentParser
import Chat
import Engine
import GGUF
import Glibc
import JSON
import Models
import Tokenizer

/// The one-shot run: a prompt in, the model's continuation out.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Continue a prompt and print the text as it is written.",
        usage: """
            tgi-run -m <model> -p <prompt> [<options>]
            tgi-run -m <model> -f <file> [<options>]
            tgi-run <subcommand> [<options>]
            """,
        discussion: """
            Examples:
              tgi-run -m model.gguf -p 'Once upon a time'
              tgi-run -m model.gguf -p 'Dear diary,' -n 200 --temperature 0.8 --seed 7
              git log -5 | tgi-run -m model.gguf -f - --stop $'\\n\\n'
              tgi-run -m model.gguf --chat -p 'Why is the sky blue?' --system 'Be brief.'
              tgi-run -m model.gguf -p 'The sky is' -n 1 --details --top-n-tokens 5

            The text goes to stdout as it is written, everything else to stderr. The choice of tokens is greedy unless a \
            sampling option is given. Ctrl-C ends the text at the next token. Exit codes: 0 done, 1 failed, 2 wrong usage, \
            130 interrupted.
            """
    )

    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Prompt") var prompt: PromptOptions
    @OptionGroup(title: "Chat") var chat: ChatOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Stopping") var stopping: StoppingOptions
    @OptionGroup(title: "Answer") var answer: AnswerOptions

    func run() throws {
        var text = try prompt.read()
        let loaded = try LoadedModel(model)
        if chat.isChat { text = try Array(templated(text, loaded).utf8) } else { hintAtChat(loaded) }
        // A chat template has written the tokens that mark the borders of the text.
        let tokens = loaded.tokenizer.encode(text, addSpecial: !chat.isChat, parseSpecial: true)
        for oddity in loaded.tokenizer.oddities(of: tokens) { model.verbosity.warning(oddity) }
        let result = try Interruption.cooperatively {
            try answer.wantsDetails ? collect(tokens, after: text, loaded) : stream(tokens, after: text, loaded)
        }
        if model.verbosity.verbose { Statistics(result, loaded).print() }
        if Interruption.isRequested { throw Interrupted() }
    }

    /// The prompt as a user's message in the model's chat template.
    private func templated(_ text: [UInt8], _ loaded: LoadedModel) throws -> String {
        guard let user = String(validating: text, as: UTF8.self) else {
            throw Failure("the prompt is not UTF-8, which a chat template needs")
        }
        let templates = try ChatTemplates(loaded.model.file.metadata, loaded.tokenizer)
        guard let prompt = try templates.prompt(for: ChatMessages(system: chat.system, user: user)) else {
            throw Failure("\(model.file.path) has no chat template; without --chat it continues the prompt as it is")
        }
        return prompt
    }

    /// Models that were trained on chats disappoint when they are given a bare question.
    private func hintAtChat(_ loaded: LoadedModel) {
        guard prompt.prompt != nil, Diagnostics.isTerminal, isatty(STDOUT_FILENO) == 1,
            (try? loaded.model.file.metadata.string("tokenizer.chat_template")) != nil
        else { return }
        model.verbosity.note("this model has a chat template; --chat takes the prompt as a message to it")
    }

    /// Prints the text as it comes.
    private func stream(_ tokens: [TokenID], after prompt: [UInt8], _ loaded: LoadedModel) throws -> GenerationResult {
        if answer.returnFullText { try StandardOutput.write(prompt) }
        let request = try request(tokens, loaded)
        var failure: (any Error)?
        var endsLine = false
        let result = try Generator(loaded.runtime).generate(request, shouldContinue: { !Interruption.isRequested }) {
            event in
            guard !event.visibleText.isEmpty else { return true }
            do {
                try StandardOutput.write(event.visibleText)
            } catch {
                failure = error
                return false
            }
            endsLine = event.visibleText.hasSuffix("\n")
            return true
        }
        if let failure { throw failure }
        if !result.heldBack.isEmpty {
            try StandardOutput.write(result.heldBack)
            endsLine = result.heldBack.hasSuffix("\n")
        }
        // Leaves the prompt of the shell on a line of its own; a file or a pipe gets the text and nothing else.
        if isatty(STDOUT_FILENO) == 1 && !endsLine { try StandardOutput.write("\n") }
        return result
    }

    /// Prints everything at the end, as one object.
    private func collect(_ tokens: [TokenID], after prompt: [UInt8], _ loaded: LoadedModel) throws -> GenerationResult {
        let request = try request(tokens, loaded)
        let result = try Generator(loaded.runtime).generate(request, shouldContinue: { !Interruption.isRequested }) {
            _ in true
        }
        let before = answer.returnFullText ? String(decoding: prompt, as: UTF8.self) : ""
        try StandardOutput.write(GenerateResponse(result, before: before).json.text() + "\n")
        return result
    }

    private func request(_ tokens: [TokenID], _ loaded: LoadedModel) throws -> GenerationRequest {
        if let id = stopping.eosId.first(where: { !loaded.tokenizer.vocabulary.contains($0) }) {
            throw Failure("--eos-id \(id): the vocabulary has \(loaded.tokenizer.vocabulary.count) tokens")
        }
        var request = GenerationRequest(prompt: tokens)
        request.maxNewTokens = stopping.maxNewTokens
        request.stopStrings = stopping.stop
        request.stopTokens = Set(stopping.eosId)
        request.ignoreEndOfGeneration = stopping.ignoreEOS
        request.sampling = sampling.parameters
        request.wantsLogprobs = answer.wantsDetails
        request.wantsPromptLogprobs = answer.decoderInputDetails
        request.topTokens = answer.topNTokens ?? 0
        return request
    }
}

extension SamplingOptions {
    var parameters: SamplingParameters {
        var result = SamplingParameters()
        // Any of these asks for a random choice; a temperature of zero overrules them. One is what leaves a step off.
        result.doSample = temperature != nil || topK != nil || topP != nil || typicalP != nil || minP != nil
        result.temperature = temperature
        result.topK = topK
        result.topP = topP.flatMap { $0 < 1 ? $0 : nil }
        result.typicalP = typicalP.flatMap { $0 < 1 ? $0 : nil }
        result.minP = minP
        result.repetitionPenalty = repetitionPenalty
        result.frequencyPenalty = frequencyPenalty
        result.presencePenalty = presencePenalty
        result.seed = seed
        return result
    }
}
