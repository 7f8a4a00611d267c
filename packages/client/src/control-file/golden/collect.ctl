<DTSControl>
  <Version>1.0</Version>
  <AddressType>DTS</AddressType>
  <MessageType>Report</MessageType>
  <From_DTS>X26AB001</From_DTS>
  <To_DTS>X26CD002</To_DTS>
  <Subject>Results batch 41</Subject>
  <LocalId>LAB-000041</LocalId>
  <DTSId>20250227121034456686_DD8A76</DTSId>
  <Compress>Y</Compress>
  <Encrypted>N</Encrypted>
  <WorkflowId>PATH_MEDRPT_V3</WorkflowId>
  <IsCompressed>N</IsCompressed>
  <AllowChunking>Y</AllowChunking>
  <StatusRecord>
    <DateTime>20250227140401</DateTime>
    <Event>COLLECT</Event>
    <Status>SUCCESS</Status>
    <StatusCode>00</StatusCode>
    <Description>Data collect success confirmation.</Description>
  </StatusRecord>
</DTSControl>
