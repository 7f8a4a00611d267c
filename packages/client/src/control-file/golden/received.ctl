<DTSControl>
  <Version>1.0</Version>
  <AddressType>ALL</AddressType>
  <MessageType>Data</MessageType>
  <From_DTS>X26AB001</From_DTS>
  <To_DTS>X26CD002</To_DTS>
  <From_ESMTP>x26ab001@dts.nhs.uk</From_ESMTP>
  <To_ESMTP>x26cd002@dts.nhs.uk</To_ESMTP>
  <Subject>Results batch 41</Subject>
  <LocalId>LAB-000041</LocalId>
  <DTSId>20250227121034456686_DD8A76</DTSId>
  <PartnerId></PartnerId>
  <Compress>N</Compress>
  <Encrypted>N</Encrypted>
  <WorkflowId>PATH_MEDRPT_V3</WorkflowId>
  <ProcessId></ProcessId>
  <DataChecksum></DataChecksum>
  <IsCompressed>N</IsCompressed>
  <StatusRecord>
    <DateTime>20250227121034</DateTime>
    <Event>TRANSFER</Event>
    <Status>SUCCESS</Status>
    <StatusCode>00</StatusCode>
    <Description>Transferred to recipient mailbox</Description>
  </StatusRecord>
</DTSControl>
