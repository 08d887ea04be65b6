// How fast vocabularies load and text is encoded: tokenizer-benchmark VOCABULARY.gguf TEXT [REPEATS]
import GGUF
import Glibc
import Models
import Tokenizer

func read(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { fatalError("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// Processor time of this thread in milliseconds: unlike the time on the wall it hardly depends on what else runs.
func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
}

/// The shortest of some runs, in milliseconds.
func shortest(of repeats: Int, _ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<repeats {
        let start = processorTime()
        try body()
        best = min(best, processorTime() - start)
    }
    return best
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { fatalError("usage: \(arguments[0]) VOCABULARY.gguf TEXT [REPEATS]") }
let repeats = arguments.count > 3 ? Int(arguments[3])! : 5
let metadata = try GGUFFile.open(arguments[1]).metadata
let text = read(arguments[2])
let tokenizer = try Tokenizer(metadata)
let load = try shortest(of: repeats) { _ = try Tokenizer(metadata) }
var tokens: [TokenID] = []
let encode = shortest(of: repeats) { tokens = tokenizer.encode(text, addSpecial: false, parseSpecial: true) }
var detokenizer = tokenizer.detokenizer(skipSpecial: true)
var decoded = 0
let decode = shortest(of: 1) { for token in tokens { decoded += detokenizer.append(token).utf8.count } }
let megabytes = Double(text.count) / 1e6
print(
    "\(tokenizer.vocabulary.count) tokens in the vocabulary: ready in \(load) ms;",
    "\(text.count) bytes became \(tokens.count) tokens in \(encode) ms: \(megabytes / encode * 1e3) MB/s;",
    "one by one back into \(decoded) bytes in \(decode) ms")
