package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// edge is the right edge of a growing Merkle tree: by level, the last whole subtree
// that waits for its sibling. It is all that is needed to go on and to know the root.
type edge struct {
	size int64
	left []tlog.Hash
}

func (e *edge) add(leaf tlog.Hash) {
	level := ones(e.size)
	for i := range level {
		leaf = tlog.NodeHash(e.left[i], leaf)
	}
	if level == len(e.left) {
		e.left = append(e.left, leaf)
	}
	e.left[level] = leaf
	e.size++
}

func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		return emptyRoot()
	}
	low := ones(e.size - 1)
	root := e.left[low]
	for level := low + 1; level < len(e.left); level++ {
		if e.size>>level&1 == 1 {
			root = tlog.NodeHash(e.left[level], root)
		}
	}
	return root
}

// ones is how many subtrees the leaf at seq completes, which is how many hashes are
// stored with it beside its own.
func ones(seq int64) (n int) {
	for ; seq&1 == 1; seq >>= 1 {
		n++
	}
	return n
}

// farthest is more events than a chain can ever have. A greater number is damage, and
// nobody counts up to it.
const farthest = 1 << 40

func emptyRoot() tlog.Hash {
	root, err := tlog.TreeHash(0, tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil }))
	if err != nil {
		panic(err) // it reads nothing, so nothing can fail
	}
	return root
}

// link checks one chain, event by event.
type link struct {
	against []Head // where checkpoints saw the chain; may be empty
	base    int64  // below it events were removed on purpose

	kept   []*tlog.Hash // the edge as it is stored; nil where it is not known
	grown  edge         // the edge as the bodies make it
	broken bool         // a body was missing, so the root is not known any more
}

// next takes the event that follows: the hash of its body (nil when it is missing) and the
// hashes stored with it (nil for each that is missing). It says what does not fit. A
// stored hash is compared with what its stored children make, so that one changed hash
// or body does not make all that come after look wrong.
func (l *link) next(leaf *tlog.Hash, stored []*tlog.Hash) (wrong []string) {
	for level, h := range stored {
		switch {
		case h == nil && leaf == nil: // the event is missing with all that belongs to it
		case h == nil:
			wrong = append(wrong, fmt.Sprintf("the stored hash of level %d is missing", level))
		case level == 0:
			if leaf != nil && *leaf != *h {
				wrong = append(wrong, "the body is not the one whose hash is stored")
			}
		case l.kept[level-1] != nil && stored[level-1] != nil && tlog.NodeHash(*l.kept[level-1], *stored[level-1]) != *h:
			wrong = append(wrong, fmt.Sprintf("the stored hash of level %d does not follow from those below it", level))
		}
	}
	top := len(stored) - 1
	if top == len(l.kept) {
		l.kept = append(l.kept, nil)
	}
	l.kept[top] = stored[top]
	if leaf == nil {
		l.broken = true
	}
	if l.broken {
		return wrong
	}
	l.grown.add(*leaf)
	for _, a := range l.against {
		if a.Size == l.grown.size && a.Root != l.grown.root() {
			return append(wrong, "the history up to here is not the one of the checkpoint")
		}
	}
	return wrong
}
