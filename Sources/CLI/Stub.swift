import ArgumentParser
struct Tokenize: ParsableCommand {}
struct Quantize: ParsableCommand {}
