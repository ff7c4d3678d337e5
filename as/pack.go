package as

import (
	"encoding/binary"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What is needed of PATs, and what a decision needs of resources and shares, is
// remembered as bytes: numbers and texts one behind the other, each text behind its
// length. Nobody but this process reads them.

func packResource(r Resource) []byte {
	b := appendText(binary.AppendVarint(nil, r.Generation), r.Description.Type)
	return appendTexts(b, r.Description.Scopes)
}

// unpackResource reads what packResource wrote.
func unpackResource(r *Resource, content []byte) {
	p := unpack(content)
	r.Generation = p.number()
	r.Description.Type = p.text()
	r.Description.Scopes = textsOf[uma.Scope](&p)
}

func packPAT(p acceptedPAT) []byte {
	b := append([]byte(nil), p.use[:]...)
	for _, text := range [...]string{string(p.Space), string(p.ResourceServer), string(p.Grant), string(p.boundTo)} {
		b = appendText(b, text)
	}
	return b
}

// unpackPAT reads what packPAT wrote.
func unpackPAT(content []byte) (out acceptedPAT) {
	out.use = packedKey(content)
	p := unpack(content[len(out.use):])
	out.Space, out.ResourceServer, out.Grant, out.boundTo = SpaceID(p.text()), oauth.ClientID(p.text()), GrantID(p.text()), oauth.Confirmation(p.text())
	return out
}

func packShares(shares []Share) []byte {
	b := binary.AppendVarint(nil, int64(len(shares)))
	for _, s := range shares {
		b = appendText(b, string(s.ID))
		b = appendTexts(b, s.Scopes)
		b = binary.AppendVarint(b, int64(len(s.Claims)))
		for _, c := range s.Claims {
			b = appendText(appendText(appendText(b, c.Name), c.ClaimType), c.FriendlyName)
			b = appendTexts(appendTexts(appendTexts(b, c.Issuer), c.ClaimTokenFormat), c.Values)
		}
		for _, text := range [...]string{string(s.Group), s.Client, s.Purpose, s.Terms} {
			b = appendText(b, text)
		}
		for _, is := range [...]bool{s.Link, s.Anyone, s.Ask} {
			n := int64(0)
			if is {
				n = 1
			}
			b = binary.AppendVarint(b, n)
		}
		for _, at := range [...]time.Time{s.NotBefore, s.NotAfter} {
			n := int64(0)
			if !at.IsZero() {
				n = at.UnixMilli()
			}
			b = binary.AppendVarint(b, n)
		}
		b = binary.AppendVarint(binary.AppendVarint(b, s.Version), s.Generation)
	}
	return b
}

// unpackShares reads what packShares wrote of the shares on a resource.
func unpackShares(space SpaceID, id uma.ResourceID, content []byte) []Share {
	p := unpack(content)
	n := p.number()
	if n == 0 {
		return nil
	}
	shares := make([]Share, n)
	for i := range shares {
		s := &shares[i]
		s.Space, s.Resource = space, id
		s.ID = policy.ShareID(p.text())
		s.Scopes = textsOf[uma.Scope](&p)
		if n := p.number(); n > 0 {
			s.Claims = make([]policy.Claim, n)
		}
		for i := range s.Claims {
			c := &s.Claims[i]
			c.Name, c.ClaimType, c.FriendlyName = p.text(), p.text(), p.text()
			c.Issuer, c.ClaimTokenFormat, c.Values = textsOf[string](&p), textsOf[string](&p), textsOf[string](&p)
		}
		s.Group, s.Client, s.Purpose, s.Terms = policy.GroupID(p.text()), p.text(), p.text(), p.text()
		s.Link, s.Anyone, s.Ask = p.number() == 1, p.number() == 1, p.number() == 1
		s.NotBefore, s.NotAfter = p.time(), p.time()
		s.Version, s.Generation = p.number(), p.number()
	}
	return shares
}

func appendTexts[T ~string](b []byte, texts []T) []byte {
	b = binary.AppendVarint(b, int64(len(texts)))
	for _, text := range texts {
		b = appendText(b, string(text))
	}
	return b
}

// unpacking is what is left to read of content, as a text that all texts are cut
// from.
type unpacking struct{ rest string }

func unpack(content []byte) unpacking { return unpacking{string(content)} }

// unsigned reads as binary.Uvarint does.
func (p *unpacking) unsigned() uint64 {
	n := uint64(0)
	for i := 0; ; i++ {
		n |= uint64(p.rest[i]&0x7f) << (7 * i)
		if p.rest[i] < 0x80 {
			p.rest = p.rest[i+1:]
			return n
		}
	}
}

// number reads as binary.Varint does.
func (p *unpacking) number() int64 {
	n := p.unsigned()
	return int64(n>>1) ^ -int64(n&1)
}

func (p *unpacking) text() string {
	length := p.unsigned()
	text := p.rest[:length]
	p.rest = p.rest[length:]
	return text
}

func (p *unpacking) time() time.Time {
	if n := p.number(); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

// textsOf reads texts; none are an empty list.
func textsOf[T ~string](p *unpacking) []T {
	texts := make([]T, p.number())
	for i := range texts {
		texts[i] = T(p.text())
	}
	return texts
}
