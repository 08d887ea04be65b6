import ArgumentParser
import Glibc

/// The program: parses, runs a subcommand, and turns whatever ended it into one line and an exit code.
@main
struct Main: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tgi-run",
        abstract: "Runs GGUF language models on Intel CPUs and GPUs.",
        version: Version.current,
        subcommands: [
            Run.self, Serve.self, Info.self, Tokenize.self, Template.self, Perplexity.self, Bench.self, Quantize.self,
            DevicesCommand.self,
        ],
        defaultSubcommand: Run.self
    )

    static func main() {
        // A reader that went away must not kill the process: writing to it fails, and that ends the run quietly.
        signal(SIGPIPE, SIG_IGN)
        Interruption.watch()
        Glibc.exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// - Returns: The exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    private static func run(_ given: [String]) -> Int32 {
        let launcher = launcher(given)
        let arguments = launcher?.commandLine ?? given
        do {
            if arguments == ["--help"] || arguments == ["-h"] || arguments == ["help"] {
                try StandardOutput.write(overview)
                return 0
            }
            if let first = arguments.first, !first.hasPrefix("-"), first != "help", subcommand(of: arguments) == nil {
                throw ValidationError("there is no subcommand '\(first)'")
            }
            var command = try parseAsRoot(arguments)
            try command.run()
            return 0
        } catch is StandardOutput.Closed {
            // The reader has what it wanted (`tgi-run … | head -n 1`): a success, as for any filter that can tell.
            return 0
        } catch is Interrupted {
            return 130
        } catch {
            return report(error, of: subcommand(of: arguments), hint: launcher?.hint)
        }
    }

    private static func report(_ error: any Error, of subcommand: String?, hint: ((String) -> String)?) -> Int32 {
        switch exitCode(for: error) {
        case .success:  // --help, --version
            return (try? StandardOutput.write(fullMessage(for: error) + "\n")) == nil ? 1 : 0
        case .validationFailure:
            let text = message(for: error)
            Diagnostics.error("\(text)\(hint?(text) ?? "") (see tgi-run \(subcommand.map { $0 + " " } ?? "")--help)")
            return 2
        default:
            Diagnostics.error("\(error)")
            return 1
        }
    }

    /// The help of the one-shot run, which is what most come for, and the list of subcommands.
    private static var overview: String {
        let width = configuration.subcommands.map { $0._commandName.count }.max() ?? 0
        let list = configuration.subcommands.map { command in
            "  \(command._commandName.padded(to: width))  \(command.configuration.abstract)"
        }
        return """
            \(helpMessage(for: Run.self))
            SUBCOMMANDS:
            \(list.joined(separator: "\n"))

              See 'tgi-run <subcommand> --help' for each. Without a subcommand: run.

            """
    }

    private static func subcommand(of arguments: [String]) -> String? {
        arguments.first.flatMap { first in configuration.subcommands.first { $0._commandName == first }?._commandName }
    }

    /// What `serve` takes from the arguments and the environment; `nil` where another command is meant. Called by the name of TGI's
    /// launcher the program is `serve`.
    private static func launcher(_ arguments: [String]) -> LauncherArguments? {
        if isInvokedAsLauncher { return arguments == ["--version"] ? nil : LauncherArguments(arguments) }
        return arguments.first == Serve._commandName ? LauncherArguments(Array(arguments.dropFirst())) : nil
    }

    private static var isInvokedAsLauncher: Bool {
        CommandLine.arguments.first?.split(separator: "/").last == "text-generation-launcher"
    }
}
