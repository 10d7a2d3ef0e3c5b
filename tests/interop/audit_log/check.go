// Checks a published audit log with nothing of ours: with the reference implementation of transparency logs, which is
// that of Go's checksum database.
//
//	check POLICY FOLDER
//
// FOLDER is that of one log (c2sp.org/tlog-tiles). Ends with 0 when everything holds, with 1 and a sentence that says
// what does not, or with 2 when it is called wrongly. Built as `go build` builds it with GO111MODULE=off and Debian's
// golang-golang-x-mod-dev.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: check POLICY FOLDER")
		os.Exit(2)
	}
	said, err := check(os.Args[1], folder{os.DirFS(os.Args[2])})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("holds:", said)
}

// check says what a log is that holds, or the first thing that does not.
func check(policyFile string, files folder) (string, error) {
	text, err := os.ReadFile(policyFile)
	if err != nil {
		return "", err
	}
	wanted, err := readPolicy(string(text))
	if err != nil {
		return "", err
	}
	signed, err := fs.ReadFile(files, "checkpoint")
	if err != nil {
		return "", err
	}
	head, err := openHead(signed, wanted)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	log, err := readLog(files, head.tree)
	if err != nil {
		return "", err
	}
	if err := log.sameFiles(); err != nil {
		return "", err
	}
	if err := log.proofs(); err != nil {
		return "", err
	}
	cosigned := "nobody"
	if len(head.cosigned) > 0 {
		cosigned = strings.Join(head.cosigned, ", ")
	}
	return fmt.Sprintf("%s %d leaves, cosigned by %s", head.origin, head.tree.N, cosigned), nil
}

// head is what a checkpoint says that is good by the policy.
type head struct {
	origin   string
	tree     tlog.Tree
	cosigned []string
}

// The reference reads a head whose origin is that of Go's own log.
const goOrigin = "go.sum database tree"

// openHead verifies every signature whose key is in the policy, and that they are enough.
func openHead(signed []byte, wanted *policy) (*head, error) {
	opened, err := note.Open(signed, wanted.verifiers())
	if err != nil {
		return nil, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	tree, err := tlog.ParseTree([]byte(goOrigin + "\n" + rest))
	if err != nil {
		return nil, err
	}
	// Nothing after the root, which nobody could check, and one way to write what is before.
	if string(tlog.FormatTree(tree)) != goOrigin+"\n"+rest || tree.N == 0 {
		return nil, errors.New("not origin, size and root of a log that has leaves")
	}
	isBy := func(key note.Verifier) bool {
		for _, sig := range opened.Sigs {
			if sig.Name == key.Name() && sig.Hash == key.KeyHash() {
				return true
			}
		}
		return false
	}
	if !wanted.isLog(origin, isBy) {
		return nil, fmt.Errorf("not signed by the log %s", origin)
	}
	cosigned, missing := wanted.witnessed(isBy)
	if !wanted.isMet(wanted.quorum, cosigned) {
		return nil, fmt.Errorf("not cosigned by %s", strings.Join(missing, ", "))
	}
	return &head{origin, tree, cosigned}, nil
}
