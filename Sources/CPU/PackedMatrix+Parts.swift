internal import Compute

extension PackedMatrix {
    /// Row groups of one expert that a worker repacks at a time.
    struct Part {
        let expert: Int
        let rowGroups: Range<Int>
        /// Where the expert's GGUF blocks begin, and those of these row groups, from the first expert's on.
        let expertOffset: Int
        let bytes: Range<Int>
    }

    private static let groupsPerTask = 8

    /// Calls `body` with the worker and each part of a range of row groups, counted through all experts, on all workers.
    func forEachPart(of groups: Range<Int>, on pool: WorkerPool, _ body: @Sendable (_ worker: Int, Part) -> Void) {
        let counter = WorkCounter()
        withoutActuallyEscaping(body) { body in
            pool.run { worker in
                while true {
                    var first = groups.lowerBound + counter.next() * Self.groupsPerTask
                    guard first < groups.upperBound else { return }
                    let end = min(first + Self.groupsPerTask, groups.upperBound)
                    while first < end {
                        let part = self.part(first..<end)
                        body(worker, part)
                        first += part.rowGroups.count
                    }
                }
            }
        }
    }

    /// The row groups at the front of a range that are of one expert.
    private func part(_ groups: Range<Int>) -> Part {
        let expert = groups.lowerBound / rowGroups
        let first = groups.lowerBound % rowGroups
        let local = first..<min(first + groups.count, rowGroups)
        let offset = expert * rows * rowBytes
        return Part(
            expert: expert, rowGroups: local, expertOffset: offset,
            bytes: offset + local.lowerBound * Self.groupRows * rowBytes..<offset + min(
                local.upperBound * Self.groupRows, rows) * rowBytes)
    }
}
