import ArgumentParser
import Glibc

/// What TGI's launcher takes that the parser cannot know: variables of the environment in place of flags, and flags of other machinery.
///
/// Every flag `--foo-bar` of `serve` may be given by the variable `FOO_BAR`; a flag beats its variable.
struct LauncherArguments {
    enum Kind {
        /// Takes a value.
        case value
        /// Takes none; its variable is `true` or `1` to set it.
        case flag
        /// Takes values one by one; its variable separates them with commas.
        case list
    }

    /// Flags and variables that were given but have no effect here.
    let ignored: [String]
    /// The arguments with what the environment adds, without what is ignored.
    let arguments: [String]
    /// Flags that come from the environment.
    let fromEnvironment: [String]

    /// - Parameters:
    ///   - given: The arguments of `serve`.
    ///   - environment: The value of a variable.
    init(_ given: [String], environment: (String) -> String? = LauncherArguments.variable) {
        var arguments: [String] = []
        var ignored: [String] = []
        var names: Set<String> = []
        var index = 0
        while index < given.count {
            let argument = given[index]
            index += 1
            let name = argument.hasPrefix("--") ? String(argument.prefix { $0 != "=" }) : argument
            names.insert(Self.longNames[name] ?? name)
            guard let kind = Self.withoutEffect[name] else {
                arguments.append(argument)
                continue
            }
            ignored.append(name)
            if kind != .flag, !argument.contains("="), index < given.count { index += 1 }
        }
        var fromEnvironment: [String] = []
        for (name, kind) in Self.options where !names.contains(name) {
            guard let value = environment(Self.variableName(name)), !value.isEmpty else { continue }
            fromEnvironment.append(name)
            switch kind {
            case .value: arguments.append("\(name)=\(value)")
            case .list: arguments += value.split(separator: ",").map { "\(name)=\($0)" }
            case .flag: if ["1", "true"].contains(value.lowercased()) { arguments.append(name) }
            }
        }
        for name in Self.withoutEffect.keys.sorted() where environment(Self.variableName(name)) != nil {
            ignored.append(Self.variableName(name))
        }
        self.arguments = arguments
        self.ignored = ignored
        self.fromEnvironment = fromEnvironment
    }

    /// What the parser gets.
    var commandLine: [String] {
        let wantsHelp = arguments.contains { $0 == "--help" || $0 == "-h" }
        return [Serve._commandName] + (wantsHelp ? ["--help"] : arguments + ignored.map { "--without-effect=\($0)" })
    }

    /// What a message about a flag says in addition where the flag was not given, but its variable.
    func hint(for message: String) -> String {
        guard let flag = fromEnvironment.first(where: { message.contains("\($0) ") || message.contains("\($0)'") })
        else {
            return ""
        }
        return "; \(Self.variableName(flag)) is set in the environment"
    }

    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// `--max-best-of` is `MAX_BEST_OF`.
    static func variableName(_ flag: String) -> String {
        flag.drop { $0 == "-" }.uppercased().replacing("-", with: "_")
    }

    private static let longNames = [
        "-m": "--model-id", "--model": "--model-id", "-p": "--port", "-g": "--graceful-termination-timeout",
        "--max-input-length": "--max-input-tokens",
    ]

    /// The flags of `serve` that have a variable.
    static let options: [(name: String, kind: Kind)] = [
        ("--model-id", .value), ("--hostname", .value), ("--port", .value), ("--validation-workers", .value),
        ("--max-concurrent-requests", .value), ("--max-best-of", .value), ("--max-stop-sequences", .value),
        ("--max-top-n-tokens", .value), ("--max-input-tokens", .value), ("--max-total-tokens", .value),
        ("--max-batch-prefill-tokens", .value), ("--max-batch-total-tokens", .value), ("--max-batch-size", .value),
        ("--speculate", .value), ("--json-output", .flag), ("--cors-allow-origin", .list), ("--api-key", .value),
        ("--tokenizer-config-path", .value), ("--max-client-batch-size", .value), ("--payload-limit", .value),
        ("--enable-prefill-logprobs", .flag), ("--graceful-termination-timeout", .value),
    ]

    /// Flags of TGI that are about CUDA, Python, its processes and its services, and those that its own servers do not heed.
    private static let withoutEffect: [String: Kind] = [
        "--revision": .value, "--sharded": .value, "--num-shard": .value, "--quantize": .value, "--dtype": .value,
        "--kv-cache-dtype": .value, "--trust-remote-code": .flag, "--waiting-served-ratio": .value,
        "--max-waiting-tokens": .value, "--cuda-graphs": .value, "--prometheus-port": .value,
        "--shard-uds-path": .value, "--master-addr": .value, "--master-port": .value,
        "--huggingface-hub-cache": .value, "--weights-cache-override": .value, "--disable-custom-kernels": .flag,
        "--cuda-memory-fraction": .value, "--rope-scaling": .value, "--rope-factor": .value,
        "--otlp-endpoint": .value, "--otlp-service-name": .value, "--watermark-gamma": .value,
        "--watermark-delta": .value, "--ngrok": .flag, "--ngrok-authtoken": .value, "--ngrok-edge": .value,
        "--disable-grammar-support": .flag, "--lora-adapters": .value, "--usage-stats": .value,
    ]
}
