import Testing
import Tokenizer

@testable import Engine

@Suite struct DrafterTests {
    private func drafts(_ tokens: [TokenID], limit: Int = 4, room: Int = 100) -> [TokenID] {
        var drafts: [TokenID] = [9]
        Drafter(limit: limit).draft(after: tokens, limit: room, into: &drafts)
        return drafts
    }

    @Test func `What followed the same tokens before is drafted`() {
        #expect(drafts([1, 2, 3, 4, 5, 1, 2]) == [3, 4, 5, 1])
        #expect(drafts([1, 2, 3, 4, 5, 1, 2], limit: 2) == [3, 4])
        #expect(drafts([1, 2, 3, 4, 5, 1, 2], room: 1) == [3])
    }

    @Test func `The longest agreement wins, then the latest`() {
        #expect(drafts([7, 1, 2, 3, 8, 1, 2, 4, 7, 1, 2], limit: 1) == [3])
        #expect(drafts([1, 2, 3, 8, 1, 2, 4, 7, 1, 2], limit: 1) == [4])
        #expect(drafts([5, 5, 5, 5, 5], limit: 3) == [5])
    }

    @Test func `Nothing is drafted without an example`() {
        #expect(drafts([1, 2, 3, 4]).isEmpty)
        #expect(drafts([1, 2]).isEmpty)
        #expect(drafts([]).isEmpty)
        #expect(drafts([1, 2, 1, 2], limit: 0).isEmpty)
        #expect(drafts([1, 2, 1, 2], room: 0).isEmpty)
        #expect(drafts([1, 2, 1, 2], room: -1).isEmpty)
    }

    @Test func `The number of drafts follows their success`() {
        var drafter = Drafter(limit: 6)
        let tokens: [TokenID] = Array(repeating: [1, 2, 3, 4, 5, 6, 7, 8, 9], count: 3).flatMap { $0 }
        func count() -> Int {
            var drafts: [TokenID] = []
            drafter.draft(after: tokens, limit: 100, into: &drafts)
            return drafts.count
        }
        #expect(count() == 6)
        drafter.learn(right: 0, of: 6)
        #expect(count() == 1)
        drafter.learn(right: 1, of: 1)
        #expect(count() == 2)
        drafter.learn(right: 2, of: 2)
        drafter.learn(right: 4, of: 4)
        #expect(count() == 6)
    }
}
