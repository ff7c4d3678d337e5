// Package mail puts what [as.Letter] says into words, and sends it: to an SMTP
// server, or, for who develops and for demonstrations, into files, to a console, or
// into a box in memory.
//
// A letter becomes one message with a text and an HTML part, in the language of its
// reader, whose Message-ID is that of every attempt to send it: a mailbox that gets it
// twice can tell. Its links lead to pages; going there changes nothing. What somebody
// else has chosen, such as a name, is one short line of text wherever it is put.
//
// The package does not know when there is something to tell, nor to whom.
package mail
