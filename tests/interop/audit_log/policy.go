package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// policy is whose word makes a checkpoint good (c2sp.org/tlog-policy).
type policy struct {
	logs      []note.Verifier
	witnesses []witness
	groups    map[string]group
	quorum    string
	// Which names are taken, by witnesses and groups, and which of them are in a group.
	known, grouped map[string]bool
}

type witness struct {
	name string
	key  note.Verifier
}

type group struct {
	threshold int
	members   []string
}

// nobody is the quorum that needs none.
const nobody = "none"

func readPolicy(text string) (*policy, error) {
	p := &policy{groups: map[string]group{}, known: map[string]bool{}, grouped: map[string]bool{}}
	for number, line := range strings.Split(text, "\n") {
		words := strings.FieldsFunc(line, func(sign rune) bool { return sign == ' ' || sign == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("line %d of the policy: %w", number+1, err)
		}
	}
	if p.quorum == "" {
		return nil, errors.New("the policy has no quorum")
	}
	return p, nil
}

func (p *policy) line(kind string, words []string) error {
	switch {
	// An address may follow a key.
	case kind == "log" && (len(words) == 1 || len(words) == 2):
		key, err := note.NewVerifier(words[0])
		p.logs = append(p.logs, key)
		return err
	case kind == "witness" && (len(words) == 2 || len(words) == 3):
		key, err := newCosigner(words[1])
		if err != nil {
			return err
		}
		p.witnesses = append(p.witnesses, witness{words[0], key})
		return p.take(words[0])
	case kind == "group" && len(words) > 2:
		return p.group(words[0], words[1], words[2:])
	case kind == "quorum" && len(words) == 1 && p.quorum == "":
		p.quorum = words[0]
		if p.quorum != nobody && !p.known[p.quorum] {
			return fmt.Errorf("no line before names %s", p.quorum)
		}
		return nil
	}
	return fmt.Errorf("no line of a policy begins with %q and goes on like this", kind)
}

func (p *policy) take(name string) error {
	if name == nobody || p.known[name] {
		return fmt.Errorf("the name %s is taken", name)
	}
	p.known[name] = true
	return nil
}

func (p *policy) group(name, threshold string, members []string) error {
	for _, member := range members {
		if !p.known[member] || p.grouped[member] {
			return fmt.Errorf("%s is not named before, or in a group already", member)
		}
		p.grouped[member] = true
	}
	made := group{len(members), members}
	switch threshold {
	case "all":
	case "any":
		made.threshold = 1
	default:
		number, err := strconv.Atoi(threshold)
		if err != nil || number < 1 || number > len(members) {
			return fmt.Errorf("a group of %d cannot need %s", len(members), threshold)
		}
		made.threshold = number
	}
	p.groups[name] = made
	return p.take(name)
}

// verifiers are all keys that the policy names.
func (p *policy) verifiers() note.Verifiers {
	keys := append([]note.Verifier{}, p.logs...)
	for _, witness := range p.witnesses {
		keys = append(keys, witness.key)
	}
	return note.VerifierList(keys...)
}

// isLog tells whether one of the logs is called so and has signed.
func (p *policy) isLog(origin string, isBy func(note.Verifier) bool) bool {
	for _, key := range p.logs {
		if key.Name() == origin && isBy(key) {
			return true
		}
	}
	return false
}

// witnessed gives the witnesses that have cosigned, and those that have not, by the policy's names.
func (p *policy) witnessed(isBy func(note.Verifier) bool) (did, didNot []string) {
	for _, witness := range p.witnesses {
		if isBy(witness.key) {
			did = append(did, witness.name)
		} else {
			didNot = append(didNot, witness.name)
		}
	}
	return did, didNot
}

// isMet tells whether a witness is among those that cosigned, or enough members of a group are.
func (p *policy) isMet(name string, cosigned []string) bool {
	if name == nobody {
		return true
	}
	group, isGroup := p.groups[name]
	if !isGroup {
		return contains(cosigned, name)
	}
	met := 0
	for _, member := range group.members {
		if p.isMet(member, cosigned) {
			met++
		}
	}
	return met >= group.threshold
}

func contains(names []string, wanted string) bool {
	for _, name := range names {
		if name == wanted {
			return true
		}
	}
	return false
}

// cosigner verifies what the reference does not know: cosignature/v1 of a witness (c2sp.org/tlog-cosignature).
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// cosignatureType is the first byte of a cosigner's key.
const cosignatureType = 0x04

// newCosigner reads a key as name+id+base64(type and key).
func newCosigner(encoded string) (*cosigner, error) {
	parts := strings.SplitN(encoded, "+", 3)
	if len(parts) != 3 || parts[0] == "" {
		return nil, errors.New("not a key: name+id+base64")
	}
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(typed) != 1+ed25519.PublicKeySize || typed[0] != cosignatureType {
		return nil, fmt.Errorf("the key of %s is not one of cosignature/v1", parts[0])
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(typed)))
	made := &cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), typed[1:]}
	if id := fmt.Sprintf("%08x", made.hash); id != parts[1] {
		return nil, fmt.Errorf("the key of %s has the id %s, not %s", made.name, id, parts[1])
	}
	return made, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

// Verify takes a signature with its time before it, in eight bytes.
func (c *cosigner) Verify(text, timed []byte) bool {
	if len(timed) != 8+ed25519.SignatureSize {
		return false
	}
	unixS := binary.BigEndian.Uint64(timed)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", unixS, text)
	return unixS <= math.MaxInt64 && ed25519.Verify(c.key, []byte(signed), timed[8:])
}
