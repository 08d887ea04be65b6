// swift-tools-version: 6.3
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "tgi-run",
    products: [
        .executable(name: "tgi-run", targets: ["CLI"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // Formats and files.
        .target(name: "CFormats"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "Quant", dependencies: ["CFormats"]),
        .target(name: "GGUF", dependencies: ["Quant", "CZstd"]),
        .target(name: "JSON"),

        // Text.
        .target(name: "Tokenizer", dependencies: ["GGUF"]),
        .target(name: "Chat", dependencies: ["JSON"]),

        // Numerics.
        .target(name: "Compute", dependencies: ["Quant"]),
        .target(name: "Models", dependencies: ["Compute", "GGUF", "Quant"]),
        .target(name: "CCPU", dependencies: ["CFormats"], linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CPU", dependencies: ["CCPU", "Compute", "Quant"]),
        .target(name: "CXPU", exclude: ["kernels"]),
        .target(name: "XPU", dependencies: ["CXPU", "Compute", "Quant"]),

        // Generation and the command.
        .target(name: "Engine", dependencies: ["Compute", "GGUF", "Models", "Tokenizer"]),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "Chat", "Compute", "CPU", "Engine", "GGUF", "JSON", "Models", "Quant", "Tokenizer", "XPU",
                argumentParser,
            ]
        ),

        // Tests.
        .target(name: "TestSupport", dependencies: ["GGUF", "Quant"], path: "Tests/Support"),
        .testTarget(
            name: "QuantTests", dependencies: ["CFormats", "Quant", "TestSupport"],
            exclude: ["reference.py", "Vectors.txt"]),
        .target(name: "Fuzzing", dependencies: ["CZstd", "GGUF", "Quant"], path: "Tests/Fuzzing"),

        .testTarget(
            name: "GGUFTests", dependencies: ["Fuzzing", "GGUF", "Quant", "TestSupport"], exclude: ["reference.py"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"]),
        .testTarget(name: "TokenizerTests", dependencies: ["Tokenizer", "GGUF", "TestSupport"]),
        .testTarget(
            name: "ChatTests", dependencies: ["Chat", "JSON", "TestSupport"], exclude: ["Snippets", "reference.py"]),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "TestSupport"]),
        .testTarget(name: "ModelsTests", dependencies: ["Compute", "GGUF", "Models", "Quant", "TestSupport"]),
        .testTarget(name: "CPUTests", dependencies: ["CPU", "CCPU", "Quant", "TestSupport"]),
        .testTarget(name: "XPUTests", dependencies: ["CFormats", "Compute", "Quant", "TestSupport", "XPU"]),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "AllocationCounter", "Compute", "CPU", "CZstd", "Engine", "GGUF", "Models", "Quant", "TestSupport",
                "Tokenizer",
            ]),
        .testTarget(
            name: "Conformance", dependencies: ["Compute", "CPU", "Quant", "TestSupport", "XPU"],
            path: "Tests/Conformance"),
        .testTarget(name: "CLITests", dependencies: ["JSON", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x
)

// Benchmarks and long fuzzing, apart so that nobody else builds them.
if Context.environment["TGI_RUN_BENCHMARKS"] == "1" {
    package.targets += [
        .executableTarget(name: "Fuzz", dependencies: ["Fuzzing"], path: "Benchmarks/Fuzz"),
        .executableTarget(name: "MicroBenchmarks", dependencies: ["Engine", "JSON"], path: "Benchmarks/Micro"),
        .executableTarget(name: "KernelBench", dependencies: ["CCPU", "CFormats"], path: "Benchmarks/KernelBench"),
        .executableTarget(
            name: "TokenizerBenchmark", dependencies: ["GGUF", "Tokenizer"], path: "Benchmarks/Tokenizer"),
    ]
}

for target in package.targets where target.type == .regular || target.type == .executable || target.type == .test {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
}
