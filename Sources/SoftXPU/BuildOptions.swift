/// The build flags of a module.
struct BuildOptions {
    let text: String
    let largeRegisters: Bool
    /// Whether kernels may reach beyond 4 GB of one allocation.
    let allowsLargeBuffers: Bool
    /// The first flag that no driver is known to take.
    let unknown: String?

    private static let large: Set<String> = ["-ze-opt-large-register-file", "-cl-intel-256-GRF-per-thread"]
    private static let largeBuffers: Set<String> = [
        "-ze-opt-greater-than-4GB-buffer-required", "-cl-intel-greater-than-4GB-buffer-required",
    ]
    private static let known: Set<String> = [
        "-ze-opt-disable", "-ze-opt-has-buffer-offset-arg", "-ze-intel-enable-auto-large-GRF-mode",
        "-cl-intel-enable-auto-large-GRF-mode", "-cl-fp32-correctly-rounded-divide-sqrt", "-cl-fast-relaxed-math",
        "-cl-mad-enable", "-cl-no-signed-zeros", "-cl-unsafe-math-optimizations", "-cl-finite-math-only",
        "-cl-denorms-are-zero", "-cl-opt-disable",
    ]

    init(_ text: String) {
        self.text = text
        let flags = text.split(separator: " ").map(String.init)
        largeRegisters = flags.contains { Self.large.contains($0) }
        allowsLargeBuffers = flags.contains { Self.largeBuffers.contains($0) }
        unknown =
            flags.enumerated().first { i, flag in
                let takesValue = i > 0 && flags[i - 1] == "-ze-opt-level" && Int(flag) != nil
                return
                    !(takesValue || flag == "-ze-opt-level" || flag.hasPrefix("-ze-opt-level=")
                    || Self.large.contains(flag) || Self.largeBuffers.contains(flag) || Self.known.contains(flag))
            }?.element
    }
}
