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
        .executable(name: "tgi-run", targets: ["CLI"]),
        .library(name: "SoftXPU", type: .dynamic, targets: ["SoftXPU"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
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
        .target(name: "Models", dependencies: ["Compute", "GGUF", "Quant", "Tokenizer"]),
        .target(name: "CCPU", dependencies: ["CFormats"], linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CPU", dependencies: ["CCPU", "Compute", "Quant"]),
        .target(name: "CXPU", exclude: ["kernels"]),
        .target(name: "XPU", dependencies: ["CXPU", "Compute", "Quant"]),

        // Generation and the command.
        .target(name: "Engine", dependencies: ["Compute", "GGUF", "Models", "Tokenizer"]),
        .target(
            name: "Server",
            dependencies: [
                "Chat", "Engine", "JSON", "Tokenizer",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "Chat", "Compute", "CPU", "Engine", "GGUF", "JSON", "Models", "Quant", "Server", "Tokenizer",
                "XPU", argumentParser, .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // A Level Zero driver that needs no GPU: nothing above links it, the Level Zero loader opens it.
        .target(name: "CSoftXPU", exclude: ["library/manifest.txt", "library/matrix.cl", "library/matrix.spv"]),
        .target(name: "SoftXPU", dependencies: ["CSoftXPU"], exclude: ["README.md"]),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["Compute", "GGUF", "JSON", "Models", "Quant"], path: "Tests/Support",
            exclude: ["References", "TinyModels"]),
        .testTarget(
            name: "QuantTests", dependencies: ["CFormats", "Quant", "TestSupport"],
            exclude: ["reference.py", "Vectors.txt"]),
        .target(name: "Fuzzing", dependencies: ["CZstd", "GGUF", "Quant"], path: "Tests/Fuzzing"),

        .testTarget(
            name: "GGUFTests", dependencies: ["Fuzzing", "GGUF", "Quant", "TestSupport"], exclude: ["reference.py"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"]),
        .testTarget(name: "TokenizerTests", dependencies: ["Tokenizer", "GGUF", "Models", "TestSupport"]),
        .testTarget(
            name: "ChatTests", dependencies: ["Chat", "JSON", "TestSupport"], exclude: ["Snippets", "reference.py"]),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "TestSupport"]),
        .testTarget(name: "ModelsTests", dependencies: ["Compute", "CPU", "GGUF", "Models", "Quant", "TestSupport"]),
        .testTarget(name: "CPUTests", dependencies: ["CPU", "CCPU", "Compute", "Quant", "TestSupport"]),
        .testTarget(
            name: "XPUTests",
            dependencies: [
                "CFormats", "Compute", "CPU", "Engine", "GGUF", "Models", "Quant", "TestSupport", "Tokenizer", "XPU",
            ]),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "AllocationCounter", "Compute", "CPU", "CZstd", "Engine", "GGUF", "Models", "Quant", "TestSupport",
                "Tokenizer",
            ]),
        .testTarget(
            name: "Conformance", dependencies: ["Compute", "CPU", "Models", "Quant", "TestSupport", "XPU"],
            path: "Tests/Conformance"),
        .executableTarget(name: "SoftXPUHost", path: "Tests/SoftXPUHost", linkerSettings: [.linkedLibrary("m")]),
        .testTarget(
            name: "SoftXPUTests", dependencies: ["SoftXPU", "SoftXPUHost", "TestSupport"], exclude: ["kernels"]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Chat", "Engine", "GGUF", "JSON", "Server", "TestSupport", "Tokenizer",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(name: "CLITests", dependencies: ["JSON", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x
)

// Benchmarks and long fuzzing, apart so that nobody else builds them.
if Context.environment["TGI_RUN_BENCHMARKS"] == "1" {
    package.targets += [
        .executableTarget(name: "Fuzz", dependencies: ["Fuzzing"], path: "Benchmarks/Fuzz"),
        .executableTarget(
            name: "MicroBenchmarks", dependencies: ["Chat", "Engine", "JSON", "Tokenizer"],
            path: "Benchmarks/Micro"),
        .executableTarget(name: "KernelBench", dependencies: ["CCPU", "CFormats"], path: "Benchmarks/KernelBench"),
        .executableTarget(name: "Load", dependencies: ["JSON", argumentParser], path: "Benchmarks/Load"),
        .executableTarget(
            name: "TokenizerBenchmark", dependencies: ["GGUF", "Models", "Tokenizer"], path: "Benchmarks/Tokenizer"),
    ]
}

for target in package.targets where target.type == .regular || target.type == .executable || target.type == .test {
    target.swiftSettings = (target.swiftSettings ?? []) + swiftSettings
}
