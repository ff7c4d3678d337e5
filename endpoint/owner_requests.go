package endpoint

import (
	"net/http"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// requestDocument is a request as the owner sees it.
type requestDocument struct {
	ID             as.RequestID     `json:"_id"`
	Status         as.RequestStatus `json:"status"`
	ClientID       string           `json:"client_id"`
	ClientName     string           `json:"client_name,omitempty"`
	ResourceServer string           `json:"resource_server"`
	Party          partyDocument    `json:"requesting_party"`
	Reason         string           `json:"reason,omitempty"` // why, in the requesting party's own words
	Permissions    []uma.Permission `json:"permissions"`
	Granted        []uma.Permission `json:"granted,omitempty"`
	Policies       []policy.ShareID `json:"policies,omitempty"`
	CreatedAt      int64            `json:"created_at"`           // seconds since the epoch
	DecidedAt      int64            `json:"decided_at,omitempty"` // seconds since the epoch
}

// partyDocument is who asks: what is known, and who says so.
type partyDocument struct {
	Claims []claimDocument `json:"claims"`
}

type claimDocument struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Issuer string `json:"issuer"`
}

func newRequestDocument(q as.PendingRequest) (any, error) {
	d := requestDocument{
		ID: q.ID, Status: q.Status, ClientID: string(q.Client), ClientName: q.ClientName, ResourceServer: string(q.ResourceServer),
		Party: newParty(q.Facts), Reason: q.Why, Permissions: q.Permissions, Granted: q.Granted, Policies: q.Shares,
		CreatedAt: q.CreatedAt.Unix(),
	}
	if !q.DecidedAt.IsZero() {
		d.DecidedAt = q.DecidedAt.Unix()
	}
	return d, nil
}

func newParty(facts []policy.Fact) partyDocument {
	d := partyDocument{Claims: []claimDocument{}}
	for _, f := range facts {
		d.Claims = append(d.Claims, claimDocument{f.Name, f.Value, f.Issuer})
	}
	return d
}

func (s *Server) listRequests(c *call) error {
	l, err := s.listing(c, "status")
	if err != nil {
		return err
	}
	status := as.RequestStatus(l.form["status"])
	switch status {
	case "":
		status = as.RequestPending
	case "all":
		status = ""
	case as.RequestPending, as.RequestAside, as.RequestApproved, as.RequestDenied:
	default:
		return uma.NewError(uma.InvalidRequest, "The parameter status has to be pending, aside, approved, denied or all.")
	}
	list, err := s.AS.Requests(c.r.Context(), c.owner, status, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(q as.PendingRequest) string { return string(q.ID) }, newRequestDocument)
}

func (c *call) requestID() as.RequestID { return as.RequestID(c.r.PathValue("id")) }

func (s *Server) readRequest(c *call) error {
	q, err := s.AS.ReadRequest(c.r.Context(), c.owner, c.requestID())
	return writeRequest(c, q, err)
}

func writeRequest(c *call, q as.PendingRequest, err error) error {
	if err != nil {
		return err
	}
	doc, err := newRequestDocument(q)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, doc)
	return nil
}

// approveRequest says yes to all that was asked, or with a body to a part of it
// or until a time.
func (s *Server) approveRequest(c *call) error {
	permissions, notAfter, err := approval(c)
	if err != nil {
		return err
	}
	q, err := s.AS.Approve(c.r.Context(), c.owner, c.requestID(), permissions, notAfter)
	return writeRequest(c, q, err)
}

// approval reads the optional body of an approval.
func approval(c *call) (permissions []uma.Permission, notAfter time.Time, err error) {
	if c.r.ContentLength == 0 {
		return nil, time.Time{}, nil
	}
	o, err := body(c)
	if err != nil {
		return nil, time.Time{}, err
	}
	if err := o.OnlyMembers("permissions", "not_after"); err != nil {
		return nil, time.Time{}, err
	}
	seconds, ok, err := o.Int64("not_after")
	if err != nil {
		return nil, time.Time{}, err
	}
	if ok {
		if notAfter, err = policy.Instant("not_after", seconds); err != nil {
			return nil, time.Time{}, err
		}
	}
	list, ok, err := o.Objects("permissions")
	if err != nil || !ok {
		return nil, notAfter, err
	}
	permissions = []uma.Permission{}
	for _, item := range list {
		if err := item.OnlyMembers("resource_id", "resource_scopes"); err != nil {
			return nil, notAfter, err
		}
		p, err := uma.ParsePermission(item)
		if err != nil {
			return nil, notAfter, err
		}
		permissions = append(permissions, p)
	}
	return permissions, notAfter, nil
}

func (s *Server) denyRequest(c *call) error {
	q, err := s.AS.Refuse(c.r.Context(), c.owner, c.requestID())
	return writeRequest(c, q, err)
}

// setAside is "not now": nothing is told to whoever asked.
func (s *Server) setAside(c *call) error {
	q, err := s.AS.SetAside(c.r.Context(), c.owner, c.requestID())
	return writeRequest(c, q, err)
}

// blockDocument is a party that the owner is asked by no more.
type blockDocument struct {
	ID         as.BlockID    `json:"_id"`
	ClientID   string        `json:"client_id,omitempty"`
	ClientName string        `json:"client_name,omitempty"`
	Party      partyDocument `json:"requesting_party"`
	CreatedAt  int64         `json:"created_at"` // seconds since the epoch
}

func newBlockDocument(b as.BlockedParty) (any, error) {
	return blockDocument{
		ID: b.ID, ClientID: string(b.Client), ClientName: b.ClientName, Party: newParty(b.Facts), CreatedAt: b.CreatedAt.Unix(),
	}, nil
}

// blockParty is "never from them": through the app that asked, or with a body
// through every one.
func (s *Server) blockParty(c *call) error {
	everyApp := false
	if c.r.ContentLength != 0 {
		o, err := body(c)
		if err == nil {
			err = o.OnlyMembers("every_client")
		}
		if err == nil {
			everyApp, _, err = o.Bool("every_client")
		}
		if err != nil {
			return err
		}
	}
	b, err := s.AS.RefuseAndBlock(c.r.Context(), c.owner, c.requestID(), everyApp)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusCreated, struct {
		ID as.BlockID `json:"_id"`
	}{b.ID})
	return nil
}

func (s *Server) listBlocks(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.Blocks(c.r.Context(), c.owner, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(b as.BlockedParty) string { return string(b.ID) }, newBlockDocument)
}

func (s *Server) unblockParty(c *call) error {
	if err := s.AS.Unblock(c.r.Context(), c.owner, as.BlockID(c.r.PathValue("id"))); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
