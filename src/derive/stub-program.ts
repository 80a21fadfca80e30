/**
 * What answers for a service that is not httpd's: so much of its protocol as a health check asks, and no more. In Perl, which every
 * node has.
 */
export const STUB_PROGRAM = String.raw`#!/usr/bin/perl
# stub smtp PORT      every command is fine, and no mail is kept (RFC 5321)
# stub dns PORT       every question is answered, by no record and no error (RFC 1035); UDP and TCP
# stub reply PORT HEX every datagram gets these bytes
# A probe's datagram comes back with the node's name before it, from dns and reply too, so that it can tell who answered.
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use Socket 'AI_NUMERICHOST';
use Sys::Hostname;

my ($protocol, $port, $hex) = @ARGV;
my $name = hostname;

sub no_record {
  my ($query) = @_;
  return undef if length $query < 12;
  my ($id, $flags, $questions) = unpack 'n3', $query;
  # a response, with what was asked of the opcode and of recursion
  return pack('n6', $id, 0x8080 | ($flags & 0x7900), $questions, 0, 0, 0) . substr($query, 12);
}

my %datagram = (dns => \&no_record, reply => sub { pack 'H*', $hex });

my $ready = IO::Select->new;

sub open_socket {
  my ($kind, $address, @more) = @_;
  my $socket = IO::Socket::IP->new(
    Proto => $kind, LocalHost => $address, LocalPort => $port, GetAddrInfoFlags => AI_NUMERICHOST, @more,
  ) or die "stub: $kind $address port $port: $@\n";
  $ready->add($socket);
  return $socket;
}

# what a node has of a family that it does not speak, is nothing; an address of the link is another's on another link
my @addresses = ${'`'}ip -o address${'`'} =~ m{ inet6? ([0-9a-f.:]+)/\d+ (?!.*scope link)}g;

# One UDP socket for each address, VIPs on lo among them: a reply must leave from the address that was asked.
my %is_datagram;
if ($datagram{$protocol}) {
  $is_datagram{open_socket(udp => $_)} = 1 for @addresses;
}
my %is_listener;
if ($protocol eq 'smtp' || $protocol eq 'dns') {
  my @more = (Listen => 64, ReuseAddr => 1);
  $is_listener{open_socket(tcp => '0.0.0.0', @more)} = 1;
  $is_listener{open_socket(tcp => '::', @more, V6Only => 1)} = 1 if grep /:/, @addresses;
}

# started means that it answers: whoever started it waits for this process to go on without it
defined(my $child = fork) or die "stub: $!\n";
exit 0 if $child;
$SIG{PIPE} = 'IGNORE';
open STDIN,  '<', '/dev/null';
open STDOUT, '>', '/dev/null';
open STDERR, '>', '/dev/null';

my (%rest, %in_mail);

# Says whether the connection goes on.
my %stream = (
  smtp => sub {
    my ($socket) = @_;
    while ($rest{$socket} =~ s/^(.*?)\r?\n//) {
      my $line = $1;
      my $data = $line =~ /^DATA\b/i;
      my $quit = $line =~ /^QUIT\b/i;
      next if $in_mail{$socket} && $line ne '.';
      my $answer = $in_mail{$socket} ? '250 taken' : $data ? '354 go on' : $quit ? '221 bye' : '250 fine';
      $quit &&= !$in_mail{$socket};
      $in_mail{$socket} = $data && !$in_mail{$socket};
      syswrite $socket, "$answer\r\n";
      return 0 if $quit;
    }
    return 1;
  },
  dns => sub {
    my ($socket) = @_;
    while (length $rest{$socket} >= 2) {
      my $length = unpack 'n', $rest{$socket};
      last if length $rest{$socket} < 2 + $length;
      my $answer = no_record(substr $rest{$socket}, 2, $length) // return 0;
      substr $rest{$socket}, 0, 2 + $length, '';
      syswrite $socket, pack('n', length $answer) . $answer;
    }
    return 1;
  },
);

while (1) {
  for my $socket ($ready->can_read) {
    if ($is_listener{$socket}) {
      my $connection = $socket->accept or next;
      $rest{$connection} = '';
      $ready->add($connection);
      syswrite $connection, "220 $name\r\n" if $protocol eq 'smtp';
    } elsif ($is_datagram{$socket}) {
      my $from = $socket->recv(my $data, 65535) // next;
      my $answer = $data =~ /^lvslab \d+$/ ? "$name $data" : $datagram{$protocol}->($data) // next;
      $socket->send($answer, 0, $from);
    } else {
      my $goes_on = sysread $socket, my $data, 65536;
      if ($goes_on) {
        $rest{$socket} .= $data;
        $goes_on = $stream{$protocol}->($socket);
      }
      next if $goes_on;
      delete $rest{$socket};
      delete $in_mail{$socket};
      $ready->remove($socket);
      close $socket;
    }
  }
}
`
