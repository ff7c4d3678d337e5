package as

import (
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// A Change names what an Update has changed, so that whoever remembers what it
// read of it forgets it. Insertions of what nobody can have read are no changes.
type Change string

// The changes that a store tells of, and the verbs of Tx that make them.
func ChangedClient(id oauth.ClientID) Change   { return Change("client " + id) }       // UpdateClient, DeleteClient, RevokeClient
func ChangedAccount(id AccountID) Change       { return Change("account " + id) }      // UpdateAccount
func ChangedSpace(id SpaceID) Change           { return Change("space " + id) }        // BumpSpace
func ChangedGrant(id GrantID) Change           { return Change("grant " + id) }        // RevokeGrant, RevokeGrantsOf, SupersedeGrant
func ChangedToken(d Digest) Change             { return Change("token " + encode(d)) } // RevokeAccessToken
func ChangedResource(id uma.ResourceID) Change { return Change("resource " + id) }     // UpdateResource, DeleteResource; and the verbs of the shares on it
func ChangedShare(id policy.ShareID) Change    { return Change("share " + id) }        // UpdateShare, DeleteShare, DeleteShares

// ChangedGroup is of who is in a group: DeleteMember, DeleteGroup.
func ChangedGroup(id policy.GroupID) Change { return Change("group " + id) }

// ChangedServer is of all the resources of a space at a resource server:
// BumpResources.
func ChangedServer(space SpaceID, server oauth.ClientID) Change {
	return Change("server " + string(space) + " " + string(server))
}

// ChangedEverything is of RevokeAll, and what a store tells that cannot know what
// it missed.
const ChangedEverything Change = "everything"
