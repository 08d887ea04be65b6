import ArgumentParser

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
              tgi-run -m model.gguf -p 'The sky is' -n 1 --details --top-n-tokens 5

            The text goes to stdout as it is written, everything else to stderr. The choice of tokens is greedy unless a sampling \
            option is given. Ctrl-C ends the text at the next token. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
            """
    )

    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Prompt") var prompt: PromptOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Stopping") var stopping: StoppingOptions
    @OptionGroup(title: "Answer") var answer: AnswerOptions

    func run() throws { throw Failure("not connected yet") }
}
